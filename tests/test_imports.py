"""What loads what: help, completion and searches by keyword must start at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch", "transformers", "mlx", "tokenizers", "textual", "pypdfium2", "apsw",
    "sqlite_vec", "numpy", "selectolax",
)  # fmt: skip

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


def run_quietly(*args: str) -> str:
    return f"""
import sys
from pplx_local.cli import main
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
    ],
)
def test_no_part_loads_an_array_framework_into_the_callers_process(module):
    frameworks = {"torch", "transformers", "mlx", "tokenizers", "textual", "pypdfium2"}
    assert not loaded_by(f"import pplx_local.{module}") & frameworks
