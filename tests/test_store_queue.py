"""Files that wait to be read, in a database that may be older, full of holes, or away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pplx_local.records import FileRecord, QueueStatus
from pplx_local.store import Store, Waiting, schema
from pplx_local.store.connection import Database, create_file
from pplx_local.store.queue import BACK_OFF_S

NOW_NS = 1_800_000_000 * 10**9
SECOND_NS = 10**9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "index.db") as opened:
        opened.add_folder(b"/docs", 1, NOW_NS)
        yield opened


def waiting(name: str, **changes: int) -> Waiting:
    file = Waiting(b"/docs/" + name.encode(), 1, 7, 2**64 - 5, 100, NOW_NS)
    return file._replace(**changes)


def queue(store: Store, *files: Waiting, anew: bool = False) -> None:
    for file in files:
        if store.file(file.path) is None:
            store.put_file(record_of(file))
    store.queue_files(files, anew=anew)


def record_of(file: Waiting) -> FileRecord:
    identity = file.device, file.inode, file.size, file.mtime_ns
    return FileRecord(
        file.path, file.folder_id, *identity, None, "pending", "waits to be read"
    )


def due(store: Store, now_ns: int = NOW_NS) -> list[str]:
    found = store.due_files(now_ns, limit=100)
    return [file.path.decode().removeprefix("/docs/") for file in found]


def test_an_index_of_the_first_version_gets_its_queue_and_keeps_its_files(
    tmp_path: Path,
) -> None:
    path = tmp_path / "index.db"
    create_file(path)
    database = Database(path)
    with database.transaction():
        schema.m001_first(database)
        database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
    database.execute("INSERT INTO folders VALUES (1, x'2f64', 5, 6, NULL)")
    database.execute(
        "INSERT INTO files VALUES (1, x'2f642f61', 1, 5, 8, 9, 10, NULL, 'skipped',"
        " 'picture', NULL, NULL, 0)"
    )
    database.close()
    with Store.open(path) as store:
        assert [(file.path, file.state) for file in store.files()] == [
            (b"/d/a", "skipped")
        ]
        store.queue_files([Waiting(b"/d/a", 1, 5, 8, 9, 10)])
        assert store.queue() == QueueStatus(1)
        assert store.integrity_check() == []
    with Store.open(path, readonly=True) as store:
        assert store.schema_version == len(schema.MIGRATIONS)


def test_the_newest_comes_first_and_each_path_once(store: Store) -> None:
    queue(store, waiting("old", mtime_ns=1), waiting("new", mtime_ns=3))
    queue(store, waiting("old", mtime_ns=1), waiting("between", mtime_ns=2))
    assert due(store) == ["new", "between", "old"]
    assert [f.path for f in store.due_files(NOW_NS, limit=1)] == [b"/docs/new"]
    store.unqueue(b"/docs/new")
    assert due(store) == ["between", "old"]


def test_numbers_without_a_sign_come_back_as_they_were(store: Store) -> None:
    file = waiting("a", device=2**64 - 1)
    queue(store, file)
    assert store.queued(file.path) == file
    assert store.queued_with_inode(file.device, file.inode) == [file]
    assert store.queued_with_inode(1, file.inode) == []


def test_a_failed_attempt_is_put_off_longer_each_time(store: Store) -> None:
    file = waiting("a")
    queue(store, file)
    assert store.next_try_s(NOW_NS) == 0
    for attempts, wait_s in enumerate((*BACK_OFF_S, BACK_OFF_S[-1]), 1):
        assert store.put_off(file.path, "locked", NOW_NS) == wait_s
        assert due(store) == []
        assert store.next_try_s(NOW_NS) == wait_s
        assert due(store, NOW_NS + wait_s * SECOND_NS) == ["a"]
        found = store.queued(file.path)
        assert found is not None
        assert (found.attempts, found.reason) == (attempts, "locked")
    assert store.queue() == QueueStatus(waiting=1, retrying=1)


def test_only_a_changed_file_gets_its_attempts_back(store: Store) -> None:
    file = waiting("a")
    queue(store, file)
    store.put_off(file.path, "locked", NOW_NS)
    queue(store, file._replace(device=8))
    assert due(store) == [], "devices change at a restart"
    queue(store, file._replace(size=101))
    found = store.queued(file.path)
    assert found is not None
    assert (found.attempts, found.due_ns, found.reason) == (0, 0, None)
    store.put_off(file.path, "locked", NOW_NS)
    queue(store, file._replace(size=101), anew=True)
    assert due(store) == ["a"], "a person asked"


def test_a_clock_that_jumped_back_keeps_nothing_waiting(store: Store) -> None:
    queue(store, waiting("a"))
    store.put_off(b"/docs/a", "locked", NOW_NS)
    a_day_before = NOW_NS - 86_400 * SECOND_NS
    assert due(store, a_day_before) == ["a"]
    assert store.next_try_s(a_day_before) == 0


def test_nothing_waits_in_an_empty_queue(store: Store) -> None:
    assert store.next_try_s(NOW_NS) is None
    assert store.count_due(NOW_NS) == 0
    assert store.queue() == QueueStatus(0)


def test_what_is_forgotten_waits_no_longer(store: Store) -> None:
    queue(store, waiting("a"), waiting("b"))
    store.forget_files([b"/docs/a"])
    assert due(store) == ["b"]
    store.remove_folder(1)
    assert due(store) == []


def test_a_folder_that_is_taken_over_brings_its_queue_along(store: Store) -> None:
    queue(store, waiting("a"))
    outer = store.add_folder(b"/", 1, NOW_NS)
    found = store.queued(b"/docs/a")
    assert found is not None
    assert found.folder_id == outer.folder_id
    assert store.count_due(NOW_NS) == 1


def test_files_under_a_path_are_that_path_and_what_lies_in_it(store: Store) -> None:
    names = ("a", "a.txt", "a/b", "a/c/d", "a0", "b")
    queue(store, *(waiting(name) for name in names))
    under = [file.path for file in store.files(under=b"/docs/a")]
    assert under == [b"/docs/a", b"/docs/a/b", b"/docs/a/c/d"]
    assert len(list(store.files(under=b"/"))) == len(names)
    assert list(store.files(under=b"/docs/a", state="indexed")) == []
