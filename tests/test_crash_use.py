"""`kill -9` anywhere in a change of the model: search never goes dark."""

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

from pplx_local.config import load_settings, write_setting
from pplx_local.index import Index, encode
from pplx_local.models import CATALOGUE

KILLS = 12
N_DOCUMENTS = 60
QUERIES = ("subject3", "subject17 words", "nothing of the kind")
CHECKPOINTS = (
    fake_checkpoint(name="small"),
    fake_checkpoint(name="big", dim=64, token_dim=64),
)


def main() -> None:
    """Update a home; run as a process of its own, to be killed."""
    know_checkpoints()
    encode.BATCH_CHARS = encode.MOST_CHARS = 6_000
    with open_index(Path(sys.argv[1]), write=True) as index:
        sys.stdout.write("started\n")
        sys.stdout.flush()
        for _ in index.update():
            time.sleep(0.03)  # more points at which to be killed


def know_checkpoints() -> None:
    for checkpoint in CHECKPOINTS:
        CATALOGUE[checkpoint.name] = checkpoint  # type: ignore[index]


def open_index(home: Path, *, write: bool = False) -> Index:
    return Index.open(
        load_settings(home),
        write=write,
        worker=lambda checkpoint, *_: FakeWorker(checkpoint),
    )


def make_home(home: Path, folder: Path, model: str) -> None:
    for checkpoint in CHECKPOINTS:
        install_fake_checkpoint(home, checkpoint.name)
    write_setting(home / "config.toml", "model", model)
    with open_index(home, write=True) as index:
        index.add_folder(folder)
        list(index.update())


def answers(home: Path) -> list[str]:
    with open_index(home) as index:
        return [repr(index.search(query, k=20).hits) for query in QUERIES]


def n_embedded(home: Path) -> int | None:
    """Count the documents that the new model has; None when the change is over."""
    with open_index(home) as index:
        change = index.status().change
    return change.embedded["late"] if change else None


def start(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_during_a_change_the_old_model_answers_and_the_new_one_gets_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for checkpoint in CHECKPOINTS:
        monkeypatch.setitem(CATALOGUE, checkpoint.name, checkpoint)  # type: ignore[arg-type]
    folder, home = tmp_path / "documents", tmp_path / "killed"
    folder.mkdir()
    for number in range(N_DOCUMENTS):
        words = f"subject{number} " + f"apples pears w{number} x{number} " * 200
        (folder / f"{number:02}.txt").write_text(words, encoding="utf-8")
    make_home(home, folder, "small")
    make_home(tmp_path / "fresh", folder, "big")
    old, new = answers(home), answers(tmp_path / "fresh")
    with open_index(home, write=True) as index:
        index.use_model("big")
    moments, seen = random.Random(20), set()
    for _ in range(KILLS):
        process = start(home)
        time.sleep(moments.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        done = n_embedded(home)
        assert answers(home) == (new if done is None else old)
        seen.add(done)
    assert len(seen - {None, 0}) >= 3, "the kills came too late or too early"
    process = start(home)
    process.communicate(timeout=60)
    assert process.returncode == 0
    with open_index(home) as index:
        assert index.store.integrity_check() == []
        assert {s.spec.checkpoint for s in index.store.spaces()} == {"big"}
    assert answers(home) == new


if __name__ == "__main__":
    main()
