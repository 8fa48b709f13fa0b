"""What happened to files lately, as the daemon tells it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon, wait_for
from workbench import Bench

from pplx_local.daemon.recent import KEPT, Recent
from pplx_local.index import Happening
from pplx_local.index.happening import Told
from pplx_local.records import FileEvent


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path) as daemon:
        yield daemon


def fates(daemon: Daemon, after: int = 0) -> list[tuple[str, str]]:
    events = daemon.client.recent(after)
    return [(event.path.rsplit(b"/")[-1].decode(), event.fate) for event in events]


def test_what_is_saved_fails_is_renamed_or_removed_is_told(daemon: Daemon) -> None:
    path = daemon.write("note.txt", "A bittern booms.")
    daemon.add()
    wait_for(lambda: fates(daemon) == [("note.txt", "indexed")])
    [first] = daemon.client.recent()
    assert isinstance(first, FileEvent)
    assert first.path == bytes(path)
    assert first.took_ms is not None
    assert 0 < first.took_ms < 60_000
    assert abs(time.time_ns() - first.at_ns) < 60e9
    path.rename(path.with_name("moved.txt"))
    wait_for(lambda: fates(daemon, first.number) == [("moved.txt", "renamed")])
    path.with_name("moved.txt").unlink()
    wait_for(lambda: fates(daemon)[2:] == [("moved.txt", "removed")])
    daemon.write("broken.pdf", "%PDF-1.7\nnot much of one")
    wait_for(lambda: fates(daemon)[3:] == [("broken.pdf", "failed")])
    last = daemon.client.recent()[-1]
    assert last.reason
    assert daemon.client.recent(last.number) == []


def test_numbers_rise_across_daemons(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    wait_for(lambda: len(fates(daemon)) == 1)
    [before] = daemon.client.recent()
    daemon.stop()
    daemon.start()
    assert fates(daemon) == []
    daemon.write("b.txt", "Another bittern.")
    wait_for(lambda: fates(daemon, before.number) == [("b.txt", "indexed")])


def test_a_file_that_is_tried_again_is_told_each_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Happening] = []
    bench.index.tell = told.append
    monkeypatch.setattr("pplx_local.index.reading.digest_file", refuse)
    bench.scan()
    bench.read(tries=2)
    assert {one.fate for one in told} == {"pending"}
    assert all("tried 1 of 2 times" in str(one.reason) for one in told)


def refuse(path: bytes) -> str:
    from pplx_local.errors import Unreadable

    raise Unreadable("the disk reports an error", retry=True)


def test_what_was_rolled_back_is_not_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Happening] = []
    bench.index.tell = told.append
    monkeypatch.setattr("pplx_local.index.reading._COMMIT_EVERY_S", 60)
    bench.scan()
    store, put = bench.index.store, bench.index.store.put_file
    puts: list[bytes] = []

    def fail_at_the_second(record) -> None:
        puts.append(record.path)
        if len(puts) == 2:
            raise OSError("no room")
        put(record)

    monkeypatch.setattr(store, "put_file", fail_at_the_second)
    with pytest.raises(OSError, match="no room"):
        bench.read()
    assert told == []
    monkeypatch.undo()
    bench.read()
    assert sorted(one.path for one in told) == [
        bench.path(name) for name in ("garden.txt", "harbour.md", "sub/engine.txt")
    ]


def test_only_the_last_ones_are_kept() -> None:
    recent = Recent()
    for n in range(KEPT + 5):
        recent.note(Happening(b"/%d" % n, "indexed"))
    kept = recent.after(0)
    assert [event.path for event in kept] == [b"/%d" % n for n in range(5, KEPT + 5)]
    assert recent.after(kept[-3].number) == kept[-2:]


def test_it_may_be_asked_while_it_is_written() -> None:
    recent = Recent()
    writer = threading.Thread(
        target=lambda: [recent.note(Happening(b"/a", "indexed")) for _ in range(20_000)]
    )
    writer.start()
    while writer.is_alive():
        numbers = [event.number for event in recent.after(0)]
        assert numbers == sorted(set(numbers))
    writer.join()


def test_what_was_forgotten_is_not_passed_on() -> None:
    told: list[Happening] = []
    kept_back = Told(told.append)
    kept_back.note(Happening(b"/a", "indexed"))
    kept_back.forget()
    kept_back.note(Happening(b"/b", "removed"))
    kept_back.pass_on()
    kept_back.pass_on()
    assert told == [Happening(b"/b", "removed")]
