"""The open command, as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from recorder import Recorder

from pplx_local.cli.place import typed_place


class Opening:
    """Runs `pplx-local open` with programs that record what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = Recorder(folder)
        kept = ("HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV")
        self.environment = {
            name: os.environ[name] for name in kept if name in os.environ
        }
        self.environment["PATH"] = self.programs.path

    def write(self, name: str, content: bytes = b"one\ntwo\nthree\n") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def __call__(self, *args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pplx_local", "open", *map(str, args)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def opening(tmp_path):
    return Opening(tmp_path)


def test_it_opens_at_the_line_in_the_persons_editor(opening):
    opening.programs.add("vim")
    opening.environment["EDITOR"] = "vim"
    note = opening.write("note.md")
    done = opening("note.md:2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert opening.programs.arguments("vim") == [b"+2", bytes(note)]


def test_a_column_may_follow_and_an_editor_be_asked_for(opening):
    opening.programs.add("nano")
    opening.write("note.md")
    assert opening("note.md:2:3:", "--editor").returncode == 0
    assert opening.programs.arguments("nano")[0] == b"+2,3"


def test_a_pdf_opens_at_the_page(opening):
    opening.programs.add("sioyek")
    opening.environment["DISPLAY"] = ":0"
    paper = opening.write("paper.pdf", b"%PDF-1.7\n")
    done = opening("paper.pdf", "--page", 7)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert opening.programs.arguments("sioyek") == [b"--page", b"7", bytes(paper)]


def test_it_is_shown_in_its_folder(opening):
    opening.programs.add("gdbus")
    opening.programs.add("xdg-open")
    opening.environment["DISPLAY"] = ":0"
    note = opening.write("note.md")
    assert opening("note.md", "--reveal").returncode == 0
    assert f"file://{note}".encode() in opening.programs.arguments("gdbus")[-2]


def test_what_a_person_should_know_is_said_and_escaped(opening):
    opening.programs.add("less")
    opening.environment["VISUAL"] = "\x1b[31mgone"
    opening.write("note.md")
    done = opening("note.md:2")
    assert done.returncode == 0
    assert "$VISUAL is \\x1b[31mgone, which is not here." in done.stderr
    assert "\x1b" not in done.stderr


def test_a_file_that_is_gone_is_an_error_that_says_what_to_do(opening):
    done = opening("gone.md")
    assert done.returncode == 2
    assert f"pplx-local: {opening.folder}/gone.md is not there" in done.stderr
    assert "pplx-local update" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_viewer_that_fails_is_an_error(opening):
    opening.programs.add("xdg-open", "sys.exit(3)")
    opening.environment["DISPLAY"] = ":0"
    opening.write("map.png", b"\x89PNG\r\n\x1a\n\0")
    done = opening("map.png")
    assert done.returncode == 2
    assert "xdg-open could not do it: it ended with exit code 3" in done.stderr


def test_it_does_not_wait_for_a_viewer_to_be_closed(opening):
    gate = opening.folder / "gate"
    until = f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    opening.programs.add("sioyek", f"import time\n{until}")
    opening.environment["DISPLAY"] = ":0"
    opening.write("paper.pdf", b"%PDF-1.7\n")
    done = opening("paper.pdf", "--page", 1)
    gate.touch()
    assert (done.returncode, done.stderr) == (0, "")
    assert opening.programs.arguments("sioyek")[1] == b"1"


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("",),
        ("note.md", "--reveal", "--editor"),
        ("note.md", "--page", "0"),
        ("note.md", "other.md"),
    ],
)
def test_a_wrong_usage_is_an_error(opening, args):
    opening.write("note.md")
    done = opening(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: ")


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("a.md", ("a.md", None, None)),
        ("a.md:", ("a.md:", None, None)),
        ("a.md:4", ("a.md", 4, None)),
        ("a.md:4:7", ("a.md", 4, 7)),
        ("a.md:4:7:", ("a.md", 4, 7)),
        ("a.md:4:7:9", ("a.md:4", 7, 9)),
        ("talk:12", ("talk:12", None, None)),
        ("talk:12:5", ("talk:12", 5, None)),
        ("talk:12:5:6", ("talk:12", 5, 6)),
        ("a\nb:3", ("a\nb", 3, None)),
    ],
)
def test_a_place_is_what_is_there_by_its_longest_name(
    tmp_path, monkeypatch, typed, place
):
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "talk:12", "a\nb"):
        (tmp_path / name).touch()
    path, line, column = typed_place(typed)
    assert (str(path), line, column) == place


def test_opening_loads_next_to_nothing():
    """The search box opens things too, and holds neither arrays nor parsers."""
    heavy = "{'numpy', 'regex', 'psutil', 'apsw', 'pypdfium2', 'typer', 'selectolax'}"
    program = f"import sys, pplx_local.opener; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
