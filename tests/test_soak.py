"""The soak scripts run, in small: what they show at length is theirs to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parent / "soak"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options"),
    [
        ("kills.py", "--kills 3 --files 20 --longest-s 1 --fresh-every 2"),
        ("cycles.py", "--cycles 800 --files 50"),
        (
            "freshness.py",
            "--files 100 --saves 3 --drop 20 --searches 20 --watched 100 --idle-s 2",
        ),
        ("interface.py", "--files 100 --minutes 0.4"),
    ],
)
def test_a_small_soak_comes_to_its_end(script: str, options: str) -> None:
    done = subprocess.run(
        [sys.executable, SOAK / script, "--model", "none", *options.split()],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    # Figures of so short a run say nothing; what is right or wrong does.
    wrong = [line for line in done.stdout.splitlines() if line.startswith("NOT")]
    assert [line for line in wrong if "at most" not in line] == [], done.stdout
    assert "ok " in done.stdout, done.stdout + done.stderr
