"""The program without a command: the terminal interface."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pplx_local.cli.invocation import Invocation

_FLAGS = ("--home", "--backend", "--device")


def run_interface(args: Sequence[str]) -> None:
    """Run it where the program was called for it; typer would take as long to load.

    Args:
        args: What the program was called with. Anything but plain options is left to
            the commands.

    Raises:
        SystemExit: When it is over.
    """
    given = _given(args)
    if given is None or not _is_terminal():
        return
    from pplx_local.cli.guard import guarded
    from pplx_local.cli.invocation import Invocation

    home = given.get("--home") or os.environ.get("PPLX_LOCAL_HOME")
    invocation = Invocation(Path(home).expanduser().absolute() if home else None)
    invocation.backend = given.get("--backend")
    invocation.device = given.get("--device")
    guarded(invocation, lambda: _run(invocation))
    raise SystemExit


def _given(args: Sequence[str]) -> dict[str, str] | None:
    names, values = args[::2], args[1::2]
    is_plain = len(names) == len(values) and all(name in _FLAGS for name in names)
    return dict(zip(names, values, strict=True)) if is_plain else None


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _run(invocation: Invocation) -> None:
    """Run it; settings that are wrong are told by the daemon, which reads them."""
    from pplx_local.tui import run

    run(invocation.home_folder(), invocation.flags())
