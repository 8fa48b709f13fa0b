"""What loads what: help, completion and searches by keyword must start at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pplx_local.daemon.place import announce, socket_path
from pplx_local.daemon.server import Server
from pplx_local.models import STARTER, find
from pplx_local.records import Answer, Hit, Span

HEAVY = (
    "torch", "transformers", "mlx", "tokenizers", "textual", "pypdfium2", "apsw",
    "sqlite_vec", "numpy", "selectolax", "safetensors", "huggingface_hub",
)  # fmt: skip

FRAMEWORKS = {
    "torch", "transformers", "mlx", "tokenizers", "textual", "pypdfium2",
    "huggingface_hub",
}  # fmt: skip

REPORT = (
    "import json, sys; print(); "
    "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
)


def loaded_by(program: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded at the end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{REPORT}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


class Greeter:
    """A daemon that has one answer."""

    def __init__(self, home: Path) -> None:
        answer = Answer("tide", "hybrid", 1.0, {}, {}, False, (HIT,))
        calls = {
            "hello": lambda: {"version": "1", "pid": os.getpid()},
            "search": lambda **args: answer,
        }
        path = socket_path(home)
        self.server = Server(path, calls, on_bug=print)
        self.server.start()
        announce(home, path)


HIT = Hit(
    path=b"/far/note.txt",
    score=1.0,
    confidence=0.9,
    char_span=Span(0, 17),
    line=1,
    place=(),
    text="The tide turns at six.",
    scores={},
)


def run_quietly(*args: str) -> str:
    return f"""
import os, sys
from pplx_local.cli import main
os._exit = sys.exit  # what is loaded is told at the end
sys.argv = ["pplx-local", *{args!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize(
    "args", [("--help",), ("search", "--help"), ("bench", "--help"), ("--version",)]
)
def test_help_loads_nothing_heavy(args):
    assert not loaded_by(run_quietly(*args)) & set(HEAVY)


@pytest.fixture
def greeted(monkeypatch):
    """The home of a daemon, at a short path as sockets need it."""
    root = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root))
    greeter = Greeter(root)
    yield root
    greeter.server.close()
    shutil.rmtree(root)


@pytest.mark.parametrize("output", ["text", "json", "jsonl", "vimgrep"])
def test_a_search_that_a_daemon_answers_loads_next_to_nothing(greeted, output):
    program = run_quietly("--home", str(greeted), "search", "tide", "--format", output)
    slow = {
        *("typer", "rich", "regex", "tomlkit", "psutil", "filelock", "asyncio"),
        *("msgspec", "dataclasses", "inspect", "tomllib", "logging", "tempfile"),
    }
    assert not loaded_by(program) & (set(HEAVY) | slow)


def test_importing_the_command_line_loads_nothing_heavy():
    assert not loaded_by("import pplx_local.cli") & set(HEAVY)


@pytest.mark.parametrize(
    "module",
    [
        "index",
        "search",
        "encoding",
        "models",
        "documents",
        "evaluate",
        "bench",
        "doctor",
        "delivery",
    ],
)
def test_no_part_loads_an_array_framework_into_the_callers_process(module):
    assert not loaded_by(f"import pplx_local.{module}") & FRAMEWORKS


@pytest.mark.skipif(find(STARTER) is None, reason="the starter is not installed")
def test_who_indexes_and_searches_holds_no_framework_and_no_tokenizer(tmp_path):
    """Both are the worker's, also while a query is encoded and scored."""
    (tmp_path / "note.txt").write_text("The tide turns at six.")
    home = ("--home", str(tmp_path / "home"))
    assert (
        not loaded_by(run_quietly(*home, "add", str(tmp_path / "note.txt")))
        & FRAMEWORKS
    )
    answer = run_quietly(*home, "search", "when does the tide turn", "--json")
    assert not loaded_by(answer) & FRAMEWORKS
