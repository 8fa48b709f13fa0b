"""Short questions to programs of the system: what they say, and never for long."""

from __future__ import annotations

import subprocess
from typing import NamedTuple


class Told(NamedTuple):
    """What a program said."""

    ok: bool
    output: str
    """Of stdout."""
    why: str
    """The last line of stderr, or why the program did not run; "" where it said none."""


def ask(*command: str, timeout_s: float) -> Told:
    """Run a program without a shell and wait for it; never raises for what it does."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Told(False, "", f"no answer within {timeout_s:.0f} s")
    except OSError as error:
        return Told(False, "", f"{command[0]}: {error.strerror}")
    lines = done.stderr.strip().splitlines()
    return Told(done.returncode == 0, done.stdout, lines[-1] if lines else "")
