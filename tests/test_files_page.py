"""The files of an index, a page at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from daemon import Daemon
from desk import Desk

from pplx_local.errors import DaemonError
from pplx_local.records import FileRecord


def names(files: list[FileRecord]) -> list[str]:
    return [os.fsdecode(file.path).rsplit("/", 1)[-1] for file in files]


def test_pages_follow_each_other_without_a_gap(desk: Desk) -> None:
    for n in range(25):
        desk.write(f"{n:02}.txt", f"note {n}")
    desk.update(model=False)
    with desk.open() as index:
        listed = [file.path for file in index.files()]
        pages, after = [], b""
        while page := index.page(after=after, limit=10):
            assert len(page) <= 10
            pages += [file.path for file in page]
            after = page[-1].path
    assert pages == listed
    assert len(pages) == 28


def test_they_are_narrowed_down_by_state_and_folder(desk: Desk) -> None:
    desk.write("sub/broken.pdf", "%PDF-1.7\nnot much of one")
    desk.write("subway.txt", "underground")
    desk.update(model=False)
    sub = desk.folder / "sub"
    with desk.open() as index:
        assert names(index.page("failed", limit=9)) == ["broken.pdf"]
        assert names(index.page(folder=sub, limit=9)) == ["broken.pdf", "engine.txt"]
        assert names(index.page("indexed", sub, limit=9)) == ["engine.txt"]
        assert names(index.page("indexed", sub, after=b"/z", limit=9)) == []


def test_a_daemon_lists_them_and_says_why(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        for n in range(3):
            daemon.write(f"{n}.txt", f"note {n}")
        path = daemon.write("broken.pdf", "%PDF-1.7\nnot much of one")
        daemon.add()
        ask = daemon.client.files
        assert names(ask(limit=2)) == ["0.txt", "1.txt"]
        assert names(ask(after=bytes(daemon.folder / "1.txt"))) == [
            "2.txt",
            "broken.pdf",
        ]
        [failed] = ask("failed", daemon.folder)
        assert isinstance(failed, FileRecord)
        assert failed.path == bytes(path)
        assert daemon.client.why(path).startswith("failed: ")
        assert "no such file" in daemon.client.why(path.with_name("never.txt"))
        for limit in (0, 1_001):
            with pytest.raises(DaemonError, match="argument is wrong: Expected `int`"):
                ask(limit=limit)
        with pytest.raises(DaemonError, match="argument is wrong: Invalid enum"):
            ask("lost")  # type: ignore[arg-type]
