"""What is kept in memory, and forgotten when something is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from workbench import Bench

from pplx_local.store.connection import Database, create_file, ids_array
from pplx_local.store.remembered import Counts, Remembered


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "rows.db"
    create_file(path)
    database = Database(path)
    database.execute(
        "CREATE TABLE numbers (id INTEGER PRIMARY KEY, name TEXT, raw BLOB)"
    )
    database.many(
        "INSERT INTO numbers VALUES (?, ?, ?)",
        [(1, "one", b"11"), (2, "two", b"2222"), (3, "three", b"")],
    )
    yield database
    database.close()


class Reader:
    """Reads names, and notes which it was asked for."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked: list[list[int]] = []

    def __call__(self, ids: list[int]) -> Mapping[int, str]:
        self.asked.append(ids)
        return dict(
            self.database.rows(
                "SELECT id, name FROM numbers WHERE id IN carray(?)",
                (ids_array(ids),),
            )
        )


def test_rows_are_read_once_and_given_in_the_order_asked(database: Database) -> None:
    rows, read = Remembered[str](database, 10), Reader(database)
    assert rows.get([2, 1], read) == ["two", "one"]
    assert rows.get([3, 1, 1, 9, 2], read) == ["three", "one", "one", None, "two"]
    assert read.asked == [[2, 1], [3, 9]]


def test_a_snapshot_is_of_one_version_whatever_others_write(
    database: Database,
) -> None:
    other = Database(database.path)
    rows, read = Remembered[str](database, 10), Reader(database)
    with database.snapshot():
        before = database.version()
        assert rows.get([1], read) == ["one"]
        other.execute("UPDATE numbers SET name = 'uno' WHERE id = 1")
        assert database.version() == before
        assert rows.get([1], read) == ["one"]
    assert database.version() != before
    assert rows.get([1], read) == ["uno"]
    with database.snapshot():
        now = database.version()
        database.execute("UPDATE numbers SET name = 'un' WHERE id = 1")
        assert database.version() != now, "its own writes it sees"
        assert rows.get([1], read) == ["un"]
    other.close()


def test_what_was_not_asked_for_lately_is_read_again(database: Database) -> None:
    rows, read = Remembered[str](database, 2), Reader(database)
    for ids in ([1, 2], [1], [3], [1], [2]):
        rows.get(ids, read)
    assert read.asked == [[1, 2], [3], [2]]


def test_more_than_there_is_room_for_is_given_all_the_same(database: Database) -> None:
    rows, read = Remembered[str](database, 1), Reader(database)
    assert rows.get([1, 2, 3], read) == ["one", "two", "three"]


def test_writes_are_seen_and_those_of_others_too(database: Database) -> None:
    rows, read = Remembered[str](database, 10), Reader(database)
    assert rows.get([1], read) == ["one"]
    database.execute("UPDATE numbers SET name = 'uno' WHERE id = 1")
    assert rows.get([1], read) == ["uno"]
    other = Database(database.path)
    other.execute("UPDATE numbers SET name = 'eins' WHERE id = 1")
    other.close()
    assert rows.get([1], read) == ["eins"]


def test_what_was_rolled_back_is_forgotten(database: Database) -> None:
    rows, read = Remembered[str](database, 10), Reader(database)
    with suppress(InterruptedError), database.transaction():
        database.execute("UPDATE numbers SET name = 'uno' WHERE id = 1")
        assert rows.get([1], read) == ["uno"]
        raise InterruptedError
    assert rows.get([1], read) == ["one"]


def test_pieces_of_blobs_come_in_the_order_asked(database: Database) -> None:
    database.execute("UPDATE numbers SET raw = x'0102030405' WHERE id = 2")
    wanted = [(1, 0, 1), (2, 1, 3), (2, 0, 1), (1, 1, 1), (3, 0, 0)]
    found = [b"1", b"\x02\x03\x04", b"\x01", b"1", b""]
    assert database.pieces("numbers", "raw", wanted) == found


def test_counts_are_made_once_until_something_is_written(database: Database) -> None:
    counts = Counts(database)

    def count() -> int:
        return counts.get("numbers", lambda: next(each))

    each = iter((1, 2, 3, 4))
    assert (count(), count()) == (1, 1)
    database.execute("DELETE FROM numbers WHERE id = 1")
    assert (count(), count()) == (2, 2)
    with suppress(InterruptedError), database.transaction():
        raise InterruptedError
    assert count() == 3
    assert counts.get("others", lambda: 9) == 9
    assert count() == 3


def test_asked_again_the_status_counts_nothing_anew(bench: Bench) -> None:
    bench.scan()
    bench.read()
    bench.fill()
    status, asked = bench.index.status(), list[str]()

    def note(_: object, sql: str, __: object) -> bool:
        asked.append(sql)
        return True

    bench.index.store._database._connection.exec_trace = note
    assert bench.index.status() == status
    counting = [sql for sql in asked if re.search(r"count\(|sum\(", sql)]
    assert [sql for sql in counting if "FROM queue" not in sql] == []
    bench.index.store.forget_files([bench.path("garden.txt")])
    assert bench.index.status().states == {"indexed": 2}
