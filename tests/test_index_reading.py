"""Reading what waits: the newest first, again later, or not at all."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from workbench import Bench, refusing

from pplx_local.documents.process import ReaderProcess
from pplx_local.index import (
    Findings,
    reading,
)
from pplx_local.records import (
    QueueStatus,
)
from pplx_local.store import Store


def queue_by_age(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queue the three files, harbour the newest, to be read one at a step."""
    monkeypatch.setattr(reading, "_COMMIT_EVERY_S", 0)
    for age, name in enumerate(("harbour.md", "garden.txt", "sub/engine.txt")):
        os.utime(bench.folder / name, (1_000 - age, 1_000 - age))
    bench.scan()


def test_the_newest_is_read_first_also_when_it_comes_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_by_age(bench, monkeypatch)
    steps = bench.index.read(Findings(), tries=3)
    first = next(one for one in steps if not one.waits)
    assert (first.path, first.total) == (bench.path("harbour.md"), 3)
    bench.write("just saved.txt", "A sparrow on the roof.\n")
    bench.scan("just saved.txt")
    paths = [one.path for one in steps if one.path and not one.waits]
    assert paths.index(bench.path("just saved.txt")) < 2, "one may be on its way"
    assert bench.best("sparrow", mode="lexical") == ["just saved.txt"]


def test_a_file_that_takes_long_keeps_nobody_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, children = ReaderProcess.send, []

    def hindered(child: ReaderProcess, name: bytes, descriptor: int) -> None:
        sent(child, name, descriptor)
        if name == b"harbour.md":
            os.kill(child.pid, signal.SIGSTOP)
            children.append(child.pid)

    monkeypatch.setattr(ReaderProcess, "send", hindered)
    queue_by_age(bench, monkeypatch)
    steps = bench.index.read(Findings(), tries=3)
    progress = next(steps)
    assert (progress.waits, progress.path) == (True, bench.path("harbour.md"))
    with Store.open(bench.index.settings.database) as other:
        other.add_folder(b"/elsewhere", 1, 1)  # so nothing is locked
    assert next(steps).waits
    os.kill(children[0], signal.SIGCONT)
    read = [one.path for one in steps if not one.waits]
    assert read[0] == progress.path
    assert bench.waiting() == 0


def test_a_failure_that_may_mend_itself_is_tried_three_times(full: Bench) -> None:
    (full.folder / "garden.txt").write_text("The cucumbers need more.\n")
    full.scan()
    queue = full.index.store
    with refusing(full.folder / "garden.txt"):
        full.read()
        assert full.index.why(full.folder / "garden.txt").endswith(
            "; tried 1 of 3 times; next in 2 s"
        )
        assert full.index.queue() == QueueStatus(1, retrying=1)
        assert 0 < (full.index.next_try_s() or 0) <= 2
        assert full.best("tomatoes", mode="lexical") == ["garden.txt"], "answers on"
        assert full.read() == [], "not due"
        assert full.scan("garden.txt").changed == 1
        assert full.index.queue().retrying == 1, "nothing has changed"
        make_due(full)
        full.read()
        assert "tried 2 of 3" in full.index.why(full.folder / "garden.txt")
        assert (full.index.next_try_s() or 0) > 2
        make_due(full)
        full.read()
        failed = full.known("garden.txt")
        assert failed is not None
        assert (failed.state, failed.retry) == ("failed", True)
        assert "tried" not in (failed.reason or "")
        assert full.waiting() == 0
        assert full.scan("garden.txt").unchanged == 1, "it has had its chances"
    assert full.scan("garden.txt", retry=True).changed == 1
    full.read()
    assert full.state("garden.txt") == "indexed"
    assert queue.queue() == QueueStatus(0)


def test_once_is_enough_for_who_does_not_come_back(bench: Bench) -> None:
    bench.scan()
    with refusing(bench.folder / "garden.txt"):
        bench.read(tries=1)
    assert bench.state("garden.txt") == "failed"
    assert bench.waiting() == 0


def test_a_person_who_asks_need_not_wait_for_the_next_try(bench: Bench) -> None:
    bench.scan()
    with refusing(bench.folder / "garden.txt"):
        bench.read()
    bench.scan(retry=True)
    assert bench.index.next_try_s() == 0
    bench.read()
    assert bench.state("garden.txt") == "indexed"


def test_a_file_that_is_gone_when_its_turn_comes_is_forgotten(full: Bench) -> None:
    full.write("note.txt", "Something new.\n")
    full.write("garden.txt", "The cucumbers need more.\n")
    full.scan()
    (full.folder / "note.txt").unlink()
    (full.folder / "garden.txt").unlink()
    full.read()
    assert full.state("note.txt") == full.state("garden.txt") == "unknown"
    assert full.waiting() == 0
    assert full.best("tomatoes", mode="lexical") == []


def test_a_file_that_became_a_link_is_not_followed(full: Bench, tmp_path: Path) -> None:
    full.write("garden.txt", "The cucumbers need more.\n")
    full.scan()
    (tmp_path / "elsewhere.txt").write_text("a secret\n")
    (full.folder / "garden.txt").unlink()
    (full.folder / "garden.txt").symlink_to(tmp_path / "elsewhere.txt")
    full.read()
    assert full.index.why(full.folder / "garden.txt") == "skipped: symbolic link"


def test_what_was_read_ahead_and_left_harms_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_by_age(bench, monkeypatch)
    steps = bench.index.read(Findings(), tries=1)
    next(one for one in steps if not one.waits)
    child = bench.index._reader._reader._child
    assert child is not None
    assert child._connection.poll(10), "the garden is read ahead"
    steps.close()
    bench.write("garden.txt", "The cucumbers need more.\n")
    bench.scan()
    bench.read(tries=1)
    assert bench.index.store.count_states() == {"indexed": 3}
    assert bench.best("cucumbers", mode="lexical") == ["garden.txt"]


def test_an_edit_while_reading_pauses_is_read_as_it_is_now(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_COMMIT_EVERY_S", 0)
    bench.scan()
    steps = bench.index.read(Findings(), tries=3)
    next(one for one in steps if not one.waits)
    for name in ("harbour.md", "garden.txt", "sub/engine.txt"):
        with (bench.folder / name).open("a") as file:
            file.write("More of it.\n")
    list(steps)
    assert bench.index.store.count_states() == {"indexed": 3}
    assert bench.scan().changed == 1, "the one that was read before"


def test_a_folder_removed_while_reading_pauses_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_COMMIT_EVERY_S", 0)
    bench.scan()
    steps = bench.index.read(Findings(), tries=3)
    next(one for one in steps if not one.waits)
    bench.index.remove_folder(bench.folder)
    list(steps)
    assert list(bench.index.files()) == []
    assert bench.waiting() == 0
    assert bench.index.status().documents == 0


def test_the_reader_rests_when_it_is_not_needed(bench: Bench) -> None:
    bench.scan()
    bench.read()
    reader = bench.index._reader._reader
    assert reader.pid is not None
    bench.index.rest(3_600)
    assert reader.pid is not None
    bench.index.rest(0)
    assert reader.pid is None
    bench.write("note.txt", "A sparrow on the roof.\n")
    bench.scan()
    bench.read()
    assert bench.state("note.txt") == "indexed"


def make_due(bench: Bench) -> None:
    """Let the time of all back-offs pass."""
    bench.index.store._database.execute("UPDATE queue SET due_ns = 0")


def test_a_file_that_failed_and_was_renamed_is_read(full: Bench) -> None:
    full.write("garden.txt", "The cucumbers need more.\n")
    full.scan()
    with refusing(full.folder / "garden.txt"):
        full.read(tries=1)
    (full.folder / "garden.txt").rename(full.folder / "plants.txt")
    full.scan()
    full.read()
    assert full.best("cucumbers", mode="lexical") == ["plants.txt"]
