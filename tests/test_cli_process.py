"""The program as a process: pipes, signals, permissions, exit codes."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pplx_local.backend import open_backend
from pplx_local.config import Settings
from pplx_local.errors import BackendUnavailable
from pplx_local.index import Index
from pplx_local.models import STARTER, find

ROOT = Path(__file__).parents[1]


class Shell:
    """Runs `pplx-local` with keywords only, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        (self.home / "config.toml").write_text('model = "none"\n')
        self.environment = os.environ | {"PPLX_LOCAL_HOME": str(self.home)}

    def start(self, *args: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(args),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *args: object, stdout=subprocess.PIPE):
        return subprocess.run(
            self._command(args),
            cwd=self.folder,
            env=self.environment,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )

    @staticmethod
    def _command(args: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "pplx_local", *map(str, args)]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("process"))
    notes = shell.folder / "notes"
    notes.mkdir()
    for number in range(300):
        (notes / f"{number}.txt").write_text(f"Heron number {number} at the weir.\n")
    done = shell("add", "notes")
    assert done.returncode == 0, done.stderr
    return shell


def test_without_a_terminal_progress_is_plain_lines(shell):
    (shell.folder / "notes" / "new.txt").write_text("A kingfisher.\n")
    done = shell("update")
    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert "1 added" in done.stderr


def test_the_reader_of_a_pipe_may_leave_early(shell):
    command = f"{sys.executable} -m pplx_local search heron -k 300 --jsonl | head -1"
    done = subprocess.run(
        command,
        shell=True,
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["text"].startswith("Heron")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_under_stdout_is_an_error(shell):
    with Path("/dev/full").open("w") as full:
        done = shell("files", stdout=full)
    assert done.returncode == 2
    assert "Cannot write the output" in done.stderr
    assert "Traceback" not in done.stderr


def test_everything_that_is_written_belongs_to_its_owner_alone(shell):
    written = [path for path in shell.home.rglob("*") if path.name != "config.toml"]
    assert {path.name for path in written} >= {"index.db"}
    assert not [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077]


@pytest.mark.parametrize(
    ("number", "code", "farewell"),
    [
        (signal.SIGINT, 130, "run the same command to go on"),
        (signal.SIGTERM, 143, ""),
    ],
    ids=["ctrl-c", "kill"],
)
def test_an_end_on_request_is_clean_and_the_next_run_goes_on(
    shell, number, code, farewell
):
    many = shell.folder / f"many{number}"
    many.mkdir()
    for i in range(1100):
        (many / f"{i}.txt").write_text(f"Sandpiper {number} {i}. " * 50)
    process = shell.start("add", many.name)
    wait_until_it_writes(shell.home / "index.db-wal")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert farewell in err
    assert "Traceback" not in err
    done = shell("add", many.name)
    assert done.returncode == 0
    folders = json.loads(shell("status", "--json").stdout)["folders"]
    states = {folder["path"]: folder["states"] for folder in folders}
    assert states[str(many)] == {"indexed": 1100}


def wait_until_it_writes(wal: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if wal.stat().st_size > 300_000:
                return
        time.sleep(0.02)
    pytest.fail("nothing was written")


def test_output_in_another_encoding_is_still_written(shell):
    (shell.folder / "notes" / "日本.txt").write_text("A kestrel 日本語.\n")
    assert shell("update").returncode == 0
    shell.environment |= {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = shell("search", "kestrel", "-k", "1")
    found = shell("search", "kestrel", "-k", "1", "--json")
    del shell.environment["PYTHONIOENCODING"], shell.environment["LC_ALL"]
    assert done.returncode == 0
    assert r"\u65e5" in done.stdout
    assert json.loads(found.stdout)["hits"][0]["path"].endswith("日本.txt")


@pytest.mark.skipif(find(STARTER) is None, reason="the starter is not installed")
def test_the_demo_finds_the_right_file_for_each_question(tmp_path):
    try:
        open_backend("torch")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    spec = importlib.util.spec_from_file_location("demo", ROOT / "scripts" / "demo.py")
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    with Index.open(Settings(home=tmp_path / "home"), write=True) as index:
        index.add_folder(ROOT / "assets" / "sample")
        for _ in index.update():
            pass
        for question in demo.QUESTIONS:
            answer = index.search(question.text, k=1)
            assert os.fsdecode(answer.hits[0].path).endswith(question.file)
            assert not answer.nothing_close
