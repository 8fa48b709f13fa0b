"""The program in a real terminal, from the first folder to the shell's next prompt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon

from pplx_local.daemon.claim import claimed_by
from pplx_local.models import STARTER, find

_SAMPLE = Path(__file__).parent.parent / "assets" / "sample"
_PATIENCE_S = 60.0


class Terminal:
    """A tmux server of its own, with one window."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    def run(self, command: str, environment: dict[str, str]) -> None:
        """Open the window with a command in it."""
        variables = [
            part for item in environment.items() for part in ("-e", "=".join(item))
        ]
        size = ["-x", "110", "-y", "32"]
        self._ask("new-session", "-d", *size, *variables, command)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        self._ask("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text letter by letter."""
        self._ask("send-keys", "-l", text)

    def seen(self) -> str:
        """Give what is on the screen."""
        return self._ask("capture-pane", "-p")

    def wait_for(self, *texts: str) -> None:
        """Wait until all of them are on the screen."""
        until = time.monotonic() + _PATIENCE_S
        while not all(text in self.seen() for text in texts):
            assert time.monotonic() < until, f"{texts} never came:\n{self.seen()}"
            time.sleep(0.1)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self._ask("resize-window", "-x", str(width), "-y", str(height))

    def close(self) -> None:
        """End it, and what runs in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def _ask(self, *args: str) -> str:
        done = subprocess.run(
            [*self._tmux, *args], capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    if find(STARTER, tmp_path) is None:
        pytest.skip("the starter is not installed")
    terminal = Terminal(tmp_path / "tmux")
    yield terminal
    terminal.close()


def _editor(folder: Path, then: str) -> Path:
    """Write an editor that shows what it was given, and does something then."""
    editor = folder / "vim"
    editor.write_text(f'#!/bin/sh\necho "EDITING $@"\n{then}\n', encoding="utf-8")
    editor.chmod(0o755)
    return editor


def test_a_person_adds_a_folder_searches_opens_and_leaves(
    terminal: Terminal, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    sample = tmp_path / "sample"
    shutil.copytree(_SAMPLE, sample)
    program = f"{sys.executable} -m pplx_local --home {home}"
    environment = {
        "EDITOR": str(_editor(tmp_path, "read -r line")),
        "VISUAL": "",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    terminal.run(f"{program}; echo ended with $?; read line", environment)
    terminal.wait_for("Which folders should be searched?")
    terminal.type(str(sample))
    terminal.press("Enter")
    terminal.wait_for("13 files to read")
    terminal.press("C-g")

    terminal.wait_for("Search in your folders")
    terminal.type("how much notice to end the lease?")
    terminal.wait_for("lease.txt", "Ending the lease", "found in")
    terminal.wait_for("lexical, dense, late")  # the model is loaded, all is embedded

    terminal.resize(70, 20)
    terminal.wait_for("lease.txt")
    terminal.press("C-e")
    terminal.wait_for("EDITING", "cursor(23", "lease.txt")
    terminal.press("Enter")
    terminal.wait_for("how much notice")

    terminal.press("Escape")
    terminal.wait_for("Search in your folders")
    terminal.press("Escape")
    terminal.wait_for("ended with 0")
    until = time.monotonic() + _PATIENCE_S
    while claimed_by(home) is not None:
        assert time.monotonic() < until, "the daemon goes on though nobody is there"
        time.sleep(0.1)


def test_the_screen_is_whole_after_another_program_had_the_terminal(
    terminal: Terminal, tmp_path: Path
) -> None:
    """Be it an editor that says that it failed, or the shell, after ctrl-z."""
    environment = {
        "EDITOR": str(_editor(tmp_path, "exit 3")),
        "VISUAL": "",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    with Daemon(tmp_path) as daemon:
        daemon.write("notes.txt", "The water pump runs.\n")
        daemon.add()
        whole = ("hybrid", "notes.txt", "pump runs", "^e Edit")
        terminal.run("bash --norc -i", environment)
        home = daemon.settings.home
        terminal.type(f"{sys.executable} -m pplx_local --home {home}\n")
        terminal.wait_for("Search in your folders")
        terminal.type("pump")
        terminal.wait_for(*whole)

        terminal.press("C-e")
        terminal.wait_for("vim could not do it: it ended with exit code 3", *whole)

        terminal.press("C-z")
        terminal.wait_for("Stopped")
        terminal.type("fg\n")
        terminal.wait_for(*whole)
