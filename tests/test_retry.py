"""Files that failed, tried again because a person asks for it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from daemon import Daemon, wait_for
from desk import Desk
from typer.testing import CliRunner

from pplx_local.cli.app import app
from pplx_local.documents import reader
from pplx_local.errors import FolderError

LONG = "words and words\n" * 200_000
BROKEN = "%PDF-1.7\nnot much of one"


@pytest.fixture
def failing(desk: Desk) -> Desk:
    """Two files fail, and would for good."""
    for name in ("broken.pdf", "sub/broken.pdf"):
        desk.write(name, f"{BROKEN} {name}")
    desk.update()
    assert list(desk.states().values()).count("failed") == 2
    return desk


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the reader: the names of files."""
    asked: list[str] = []
    read = reader.Reader.read

    def noting(self: reader.Reader, path: bytes) -> reader.Reading:
        asked.append(path.rsplit(b"documents/", 1)[-1].decode())
        return read(self, path)

    monkeypatch.setattr(reader.Reader, "read", noting)
    return asked


def test_what_failed_for_good_is_read_again_when_asked(
    failing: Desk, reads: list[str]
) -> None:
    failing.update_only()
    assert reads == [], "nothing has changed"
    with failing.open(write=True) as index:
        assert index.retry() == 2
    assert failing.update_only().failed == 2
    assert sorted(reads) == ["broken.pdf", "sub/broken.pdf"]
    failing.update_only()
    assert len(reads) == 2, "once, not each time from now on"


def test_some_of_them_are_named_by_path_or_folder(
    failing: Desk, reads: list[str], tmp_path: Path
) -> None:
    with failing.open(write=True) as index:
        assert index.retry([failing.folder / "garden.txt"]) == 0
        assert index.retry([failing.folder / "sub"]) == 1
        with pytest.raises(FolderError, match="not in a registered folder"):
            index.retry([tmp_path / "elsewhere"])
    failing.update_only()
    assert reads == ["sub/broken.pdf"]


def test_what_answered_answers_on_until_it_has_been_read(failing: Desk) -> None:
    with failing.open(write=True) as index:
        index.retry()
        assert [one.state for one in index.page("failed", limit=9)] == ["failed"] * 2
        list(index.update())


@pytest.fixture
def deadly(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A file that kills its reader as long as this list is left as it is."""
    names = ["deadly.txt", "copy.txt"]
    desk.write("deadly.txt", LONG)
    desk.write("neighbour.txt", "A bittern booms.")
    has_read = reader.Reader.has_read

    def dying(self: reader.Reader, path: bytes, wait_s: float) -> bool:
        if path.rsplit(b"/", 1)[-1].decode() in names:
            self.hold()
            assert self.pid is not None
            os.kill(self.pid, signal.SIGSEGV)
        return has_read(self, path, wait_s)

    monkeypatch.setattr(reader.Reader, "has_read", dying)
    return names


def reasons(desk: Desk) -> set[str | None]:
    with desk.open() as index:
        return {file.reason for file in index.page("failed", limit=9)}


def test_a_file_kills_its_reader_three_times_and_is_left_alone(
    desk: Desk, deadly: list[str], reads: list[str]
) -> None:
    for n_times in (1, 2, 3):
        report = desk.update()
        assert (report.failed, reads.count("deadly.txt")) == (1, n_times)
    assert desk.file("neighbour.txt").state == "indexed"
    assert desk.update().failed == 0
    desk.write("copy.txt", LONG)
    assert desk.update().failed == 1
    assert reads.count("deadly.txt") + reads.count("copy.txt") == 3
    assert reasons(desk) == {"its reader crashed (SIGSEGV), 3 times"}


def test_a_file_that_killed_its_reader_is_tried_afresh_when_asked(
    desk: Desk, deadly: list[str]
) -> None:
    for _ in range(3):
        desk.update()
    with desk.open(write=True) as index:
        index.retry()
    assert desk.update().failed == 1
    assert reasons(desk) == {"its reader crashed (SIGSEGV)"}, "the first of three again"
    deadly.clear()
    assert desk.update().failed == 0
    assert set(desk.states().values()) == {"indexed"}


def test_the_command_reads_them_again(failing: Desk, reads: list[str]) -> None:
    given = ["--home", str(failing.settings.home), "update", "--retry-failed"]
    (failing.settings.file).write_text('model = "none"\n')
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 3
    assert "2 files that failed will be read once more" in result.stderr
    assert len(reads) == 2


def test_a_daemon_reads_them_again_at_once(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        path = daemon.write("broken.pdf", BROKEN)
        daemon.write("whole/a.txt", "A bittern booms.")
        daemon.add()
        log = daemon.settings.home / "logs" / "daemon.log"
        before = log.read_text().count("read 1 files; 1 failed")
        assert daemon.client.retry([path]) == 1
        wait_for(lambda: log.read_text().count("read 1 files; 1 failed") > before)
        assert daemon.client.retry() == 1
        assert daemon.client.retry([daemon.folder / "whole"]) == 0
        with pytest.raises(FolderError, match="not in a registered folder"):
            daemon.client.retry([tmp_path / "elsewhere"])


def test_a_pause_keeps_them_waiting(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.write("broken.pdf", BROKEN)
        daemon.add()
        daemon.client.pause()
        assert daemon.client.retry() == 1
        wait_for(lambda: "resume" in (daemon.state().waits or ""))
        assert daemon.client.status().queue.waiting == 1
        daemon.client.resume()
        wait_for(lambda: daemon.client.status().queue.waiting == 0)
        assert daemon.states() == {"failed": 1}
