"""`kill -9` and Ctrl-C anywhere in an update: the next run ends in the same index."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import FakeWorker, fake_checkpoint, install_fake_checkpoint

from pplx_local.config import Settings
from pplx_local.index import Index
from pplx_local.models import Profile

KILLS = 20
QUERIES = ("subject3", "subject17 words", "apples and subject8", "nothing whatsoever")
"""None has a word in so many files that, of equals, those written last are asked."""


def main() -> None:
    """Update a folder; run as a process of its own, to be killed."""
    home, folder = map(Path, sys.argv[1:])
    with open_index(home) as index:
        index.add_folder(folder)
        sys.stdout.write("started\n")
        sys.stdout.flush()
        for _ in index.update():
            time.sleep(0.005)  # more points at which to be killed


def open_index(home: Path) -> Index:
    fake = fake_checkpoint()
    if not home.exists():
        install_fake_checkpoint(home)
    return Index.open(
        Settings(home=home),
        write=True,
        worker=lambda *args: FakeWorker(fake),
        profile=Profile(fake, fake),
    )


def write_documents(folder: Path) -> None:
    folder.mkdir()
    for number in range(40):
        words = f"subject{number} " + f"apples pears w{number} x{number} " * 60
        (folder / f"{number:02}.txt").write_text(words, encoding="utf-8")
    long = "\n\n".join(f"part{n} " + "filler words " * 80 for n in range(60))
    (folder / "long.md").write_text(long, encoding="utf-8")
    (folder / "copy.txt").write_bytes((folder / "07.txt").read_bytes())
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnot much of one")
    (folder / "empty.txt").touch()


def picture(index: Index) -> dict[str, object]:
    """All that a person can see of an index."""
    return {
        "files": [(f.path, f.state, f.reason, f.digest) for f in index.files()],
        "coverage": index.status().coverage,
        "counts": (index.status().documents, index.status().chunks),
        "hits": {
            query: [
                (hit.path, hit.char_span, hit.score, hit.line)
                for hit in index.search(query, k=20).hits
            ]
            for query in QUERIES
        },
    }


def run(home: Path, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, str(home), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n", process.stderr.read()  # type: ignore[union-attr]
    return process


def finish(home: Path, folder: Path) -> dict[str, object]:
    process = run(home, folder)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    with open_index(home) as index:
        assert index.store.integrity_check() == []
        return picture(index)


def disturb(folder: Path, number: int) -> None:
    """Do what a person does between two runs: write, edit, rename, delete."""
    for new in range(10):
        words = f"subject{new} of round{number} " + f"plums r{number} n{new} " * 60
        (folder / f"round {number} {new}.txt").write_text(words, encoding="utf-8")
    with (folder / f"{number:02}.txt").open("a") as file:
        file.write(" edited")
    (folder / f"{number + 20:02}.txt").rename(folder / f"moved {number}.txt")
    if number:
        (folder / f"round {number - 1} 0.txt").unlink()


def how_long(tmp_path: Path) -> float:
    """Time, on this machine, an update after one disturbance, in seconds."""
    folder, home = tmp_path / "timed documents", tmp_path / "timed"
    write_documents(folder)
    finish(home, folder)
    disturb(folder, 0)
    process = run(home, folder)
    started = time.monotonic()
    process.communicate(timeout=60)
    return time.monotonic() - started


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_at_twenty_points_it_ends_like_one_that_never_was(
    tmp_path: Path,
) -> None:
    folder, home = tmp_path / "documents", tmp_path / "killed"
    write_documents(folder)
    longest = how_long(tmp_path)
    moments = random.Random(20)
    n_killed = 0
    for number in range(KILLS):
        disturb(folder, number)
        process = run(home, folder)
        # What the kills left undone makes each update longer than the one timed.
        time.sleep(moments.uniform(0, 0.6 * longest))
        n_killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert n_killed >= KILLS * 3 // 4, "the kills came too late to mean anything"
    assert finish(home, folder) == finish(tmp_path / "in one go", folder)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    write_documents(folder)
    process = run(tmp_path / "home", folder)
    time.sleep(0.4)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert finish(tmp_path / "home", folder) == finish(tmp_path / "fresh", folder)


if __name__ == "__main__":
    main()
