"""The first frame: that of the last time, until the interface is loaded; no key is lost."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from daemon import Daemon, wait_for

from pplx_local.tui.first_frame import FirstFrame
from pplx_local.tui.memory import Memory

_BOX = "earch in your folders"
_LEAVE = "\x1b[?1049l"
_FILE = "first-frame.json"
_PATIENCE_S = 60.0
_TERMINAL = {
    "COLUMNS": "100",
    "LINES": "30",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
}
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Process:
    """The program on a terminal of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        self._ours, self._terminal = pty.openpty()
        self.before = termios.tcgetattr(self._terminal)
        self.resize(100, 30)
        command = [sys.executable, "-m", "pplx_local", "--home", str(home)]
        self._process = subprocess.Popen(
            command,
            env=os.environ | _TERMINAL | environment,
            stdin=self._terminal,
            stdout=self._terminal,
            stderr=self._terminal,
            start_new_session=True,
        )
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
        os.close(self._terminal)

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal has the settings that it had."""
        return termios.tcgetattr(self._terminal) == self.before

    @property
    def text(self) -> str:
        """All that was written, without what only moves or colours."""
        return _CODES.sub("", self.seen)

    def resize(self, columns: int, rows: int) -> None:
        termios.tcsetwinsize(self._terminal, (rows, columns))

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def kill(self, number: int) -> None:
        self._process.send_signal(number)

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + _PATIENCE_S
        while text not in self.seen:
            assert time.monotonic() < until, (
                f"{text!r} never came: {self.seen[-500:]!r}"
            )
            self._read()

    def ended(self) -> int:
        """Read to the end, and give the exit code."""
        until = time.monotonic() + _PATIENCE_S
        while self._process.poll() is None:
            assert time.monotonic() < until, f"it goes on: {self.seen[-500:]!r}"
            self._read()
        while self._read():
            pass
        return self._process.returncode

    def _read(self) -> bool:
        readable, _, _ = select.select([self._ours], [], [], 0.05)
        if readable:
            self.seen += os.read(self._ours, 65_536).decode(errors="replace")
        return bool(readable)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("first")) as daemon:
        daemon.write("notes.txt", "The water pump runs.\n")
        daemon.add()
        yield daemon


@pytest.fixture
def home(daemon: Daemon) -> Path:
    """A home of which a frame was kept, by a whole run of the program."""
    home = daemon.settings.home
    (home / _FILE).unlink(missing_ok=True)
    with Process(home) as process:
        process.wait_for(_BOX)
        wait_for((home / _FILE).exists)
        process.press("\x1b")
        assert process.ended() == 0
        assert process.is_as_before
    return home


def _instead_of_textual(folder: Path, source: str) -> dict[str, str]:
    """Give an environment in which loading the interface runs something else."""
    (folder / "textual").mkdir()
    (folder / "textual" / "__init__.py").write_text(source, encoding="utf-8")
    places = [str(folder), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, places))}


def test_the_frame_of_the_last_time_is_there_before_the_interface_is_loaded(
    home: Path, tmp_path: Path
) -> None:
    slow = _instead_of_textual(tmp_path, "import time\ntime.sleep(600)\n")
    with Process(home, **slow) as process:
        process.wait_for(_BOX)
        assert not process.is_as_before, "what is typed would be shown beside the box"
        process.kill(signal.SIGINT)
        assert process.ended() == 130
        assert process.is_as_before
        assert process.text.rstrip().endswith("Stopped.")
        assert _LEAVE in process.seen


def test_an_interface_that_cannot_be_loaded_leaves_the_terminal_as_it_was(
    home: Path, tmp_path: Path
) -> None:
    broken = _instead_of_textual(tmp_path, "raise RuntimeError('no such luck')\n")
    with Process(home, **broken) as process:
        assert process.ended() == 2
        assert _BOX in process.seen
        assert "no such luck" in process.seen.split(_LEAVE)[1]
        assert process.is_as_before


def test_what_is_typed_on_the_first_sight_is_asked(home: Path) -> None:
    with Process(home) as process:
        process.wait_for(_BOX)
        process.press("water")
        process.wait_for("notes.txt")
        assert process.seen.count("\x1b[?1049h") == 1, "the screen was cleared"
        process.press("\x1b\x1b")
        assert process.ended() == 0
        assert process.is_as_before


def test_what_is_typed_before_anything_is_seen_is_asked_and_not_kept(
    daemon: Daemon,
) -> None:
    home = daemon.settings.home
    (home / _FILE).unlink(missing_ok=True)
    with Process(home) as process:
        process.press("water")
        process.wait_for("notes.txt")
    assert "water" not in _kept(home)


def _kept(home: Path) -> str:
    return (home / _FILE).read_text() if (home / _FILE).exists() else ""


def test_it_looks_as_the_one_that_comes_after_it(home: Path) -> None:
    kept = _kept(home)
    (home / _FILE).unlink()
    with Process(home) as process:
        process.wait_for(_BOX)
        wait_for((home / _FILE).exists)
    assert _kept(home) == kept
    assert _BOX in kept


_WAIT_AND_LOAD = """
import importlib, sys, time
from pathlib import Path
here = Path(__file__).parent.parent
while not (here / "go").exists():
    time.sleep(0.01)
sys.path.remove(str(here))
del sys.modules["textual"]
importlib.import_module("textual")
"""


def test_a_frame_is_kept_for_the_size_that_it_was_drawn_for(
    home: Path, tmp_path: Path
) -> None:
    """The terminal may be given another while the interface is loading."""
    before, waits = _kept(home), _instead_of_textual(tmp_path, _WAIT_AND_LOAD)
    with Process(home, COLUMNS="", LINES="", **waits) as process:
        process.wait_for(_BOX)
        process.resize(70, 20)
        (tmp_path / "go").touch()
        wait_for(lambda: _kept(home) != before)
    for key, frame in json.loads(_kept(home)).items():
        rows = [_CODES.sub("", row) for row in re.split(r"\x1b\[\d+;1H", frame)[1:]]
        assert json.loads(key)[1:3] == [max(map(len, rows)), len(rows)]


def _keep(line: str, memory: Memory) -> None:
    FirstFrame(memory).keep([line], shutil.get_terminal_size())


@pytest.mark.parametrize(
    ("name", "value"),
    [("COLUMNS", "60"), ("LINES", "20"), ("NO_COLOR", "1"), ("TERM", "linux")],
)
def test_another_terminal_has_another_frame(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _keep("a", Memory(tmp_path))
    assert FirstFrame(Memory(tmp_path)).frame == "\x1b[1;1Ha"
    monkeypatch.setenv(name, value)
    assert FirstFrame(Memory(tmp_path)).frame == ""


def test_another_theme_has_another_frame(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    _keep("a", memory)
    memory.theme = "nord"
    assert FirstFrame(memory).frame == ""


def test_frames_of_a_few_sizes_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in range(80, 90):
        monkeypatch.setenv("COLUMNS", str(width))
        _keep(str(width), Memory(tmp_path))
    assert FirstFrame(Memory(tmp_path)).frame == "\x1b[1;1H89"
    monkeypatch.setenv("COLUMNS", "80")
    assert FirstFrame(Memory(tmp_path)).frame == "", "the oldest goes"
    monkeypatch.setenv("COLUMNS", "82")
    assert FirstFrame(Memory(tmp_path)).frame == "\x1b[1;1H82"


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"a": 3}', "\x00\xff"])
def test_a_file_that_is_damaged_is_done_without(tmp_path: Path, kept: str) -> None:
    (tmp_path / _FILE).write_text(kept, encoding="latin-1")
    first = FirstFrame(Memory(tmp_path))
    assert first.frame == ""
    first.keep(["b"], shutil.get_terminal_size())
    assert FirstFrame(Memory(tmp_path)).frame == "\x1b[1;1Hb"
