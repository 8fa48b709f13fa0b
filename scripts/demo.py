"""Index the sample folder and ask it a few questions, by the program's own commands.

Everything it writes is in `.demo/`, made anew each time. Called by `make demo`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".demo"
SAMPLE = Path("assets", "sample")
PROGRAM = Path(".venv", "bin", "pplx-local")


class Question(NamedTuple):
    """Something to ask, and the file that knows."""

    text: str
    remark: str
    file: str


QUESTIONS = (
    Question(
        "how long before leaving do I have to tell my landlord",
        "The lease never says 'leaving': it speaks of giving notice.",
        "house/lease.txt",
    ),
    Question(
        "what kept barnacles off the turbine blades",
        "A PDF of five pages; the answer is on one of them.",
        "work/tidal-turbines.pdf",
    ),
    Question(
        "the heating says F05, what now", "A saved web page.", "house/boiler.html"
    ),
    Question("which ship runs on batteries", "One row of a table.", "work/fleet.csv"),
    Question(
        "сколько весила щука",
        "The starter model knows English only; keywords find the rest.",
        "notes/поездка.md",
    ),
)


def main() -> int:
    """Run the demo; return the exit code of the first command that fails."""
    shutil.rmtree(HOME, ignore_errors=True)
    code = run("add", str(SAMPLE))
    for question in QUESTIONS:
        print(f"\n# {question.remark}", flush=True)
        code = code or run("search", question.text, "-k", "2")
    print(f"""
Now your own folder. Nothing leaves this computer:

    {PROGRAM} add ~/Documents
    {PROGRAM} search "what I am looking for"

Before that, to see what there is and how long it takes:

    {PROGRAM} add --dry-run ~/Documents
""")
    return code


def run(*args: str) -> int:
    """Show a command as it would be typed, and run it."""
    print(f"$ pplx-local {shlex.join(args)}", flush=True)
    environment = os.environ | {"PPLX_LOCAL_HOME": str(HOME)}
    command = [sys.executable, "-m", "pplx_local", *args]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
