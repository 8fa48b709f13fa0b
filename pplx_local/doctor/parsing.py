"""The process that parses files: what it is locked in with on this computer."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pplx_local.config import Settings
from pplx_local.doctor.check import Check
from pplx_local.documents import Hold, Reader

_NAME = "reading files"
_LINUX_REMEDY = (
    "Linux has Landlock from 5.13 on and seccomp filters for x86-64 and ARM; in a "
    "container, its own rules may forbid both."
)
_MAC_REMEDY = "/usr/bin/sandbox-exec is missing here, or did not take its rules."


def parsing(settings: Settings) -> Iterator[Check]:
    """Start the process and ask it; a system that offers less is no failure."""
    with Reader(
        timeout_s=settings.read_timeout_s,
        memory_bytes=settings.read_memory_bytes,
        max_file_bytes=settings.max_file_bytes,
    ) as reader:
        yield how_held(reader.hold(), _limits(settings), sys.platform)


def how_held(hold: Hold, limits: str, system: str) -> Check:
    """Say what holds the process that parses, and what does not.

    Args:
        hold: What it has locked itself in with.
        limits: Of one file, in words.
        system: As `sys.platform` has it.
    """
    if system == "darwin":
        walls = ["sandbox-exec"] if hold.seatbelt else []
        missing = [] if hold.seatbelt else ["it could write and use the network"]
        remedy = _MAC_REMEDY
    else:
        walls, missing = _on_linux(hold)
        remedy = _LINUX_REMEDY
    by = f"{', '.join(walls)} and {limits}" if walls else limits
    held = f"in a process of its own, held by {by}"
    if not missing:
        return Check(_NAME, "ok", held)
    open_ = f"should a file take it over, {' and '.join(missing)}"
    return Check(_NAME, "warn", f"{held}; {open_}", remedy)


def _on_linux(hold: Hold) -> tuple[list[str], list[str]]:
    walls, missing = [], []
    if hold.landlock:
        walls.append(f"Landlock {hold.landlock}")
    else:
        missing.append("it could read other files")
    if hold.seccomp:
        walls.append("seccomp")
    else:
        missing.append("it could use the network")
    return walls, missing


def _limits(settings: Settings) -> str:
    memory = f"{settings.read_memory_bytes / 1e9:.3g} GB"
    return f"limits ({memory} and {settings.read_timeout_s:g} s for a file)"
