"""Seatbelt: macOS's way to start a process that may do less, by `sandbox-exec`.

Everything is allowed that is not named: of the system's own services nobody can say
which ones a library needs, on each version of macOS. The last rule that fits decides.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pplx_local.documents.sandbox.needed import of_python

_PROGRAM = "/usr/bin/sandbox-exec"
_PERSONS = ("/Users", "/Volumes", "/private/tmp", "/private/var/folders")
_HARMLESS_PORT = 9
_PROBE_S = 10.0


def command(command: list[str]) -> list[str]:
    """Put what locks a process in before its command line, where there is such."""
    return [*_prefix(), *command]


def holds() -> bool:
    """Find out whether this process is locked in: the network says no to it then."""
    if sys.platform != "darwin":
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("127.0.0.1", _HARMLESS_PORT))  # sends nothing
        except PermissionError:
            return True
    return False


def profile(readable: Iterable[str], home: str) -> str:
    """Write the rules.

    Args:
        readable: Folders to read from, though they may lie among a person's.
        home: A person's folder; it may lie in an unusual place.
    """
    return "\n".join(
        (
            "(version 1)",
            "(allow default)",
            "(deny network*)",
            "(deny file-write*)",
            f"(allow file-write* {_literal('/dev/null')})",
            f"(deny file-read-data {_subpaths((*_PERSONS, home))})",
            f"(allow file-read-data {_subpaths(readable)})",
            "(deny process-fork)",
            "(deny signal)",
            "(allow signal (target self))",
            "(deny mach-priv-task-port)",
            "(deny appleevent-send)",
            "(deny lsopen)",
        )
    )


@cache
def _prefix() -> tuple[str, ...]:
    """Try the rules on a program that does nothing: better none than no reading."""
    if sys.platform != "darwin":
        return ()
    rules = profile(of_python(), str(Path.home().resolve()))
    prefix = (_PROGRAM, "-p", rules)
    try:
        tried = subprocess.run(
            [*prefix, "/usr/bin/true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return prefix if tried.returncode == 0 else ()


def _subpaths(paths: Iterable[str]) -> str:
    return " ".join(f"(subpath {_quoted(path)})" for path in paths)


def _literal(path: str) -> str:
    return f"(literal {_quoted(path)})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
