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
_VERBOSE = ("-v", "--verbose")


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
    home = given.get("--home") or os.environ.get("PPLX_LOCAL_HOME", "")
    if not _is_known(home):
        return
    from pplx_local.cli.guard import guarded
    from pplx_local.cli.invocation import Invocation

    invocation = Invocation(Path(home).expanduser().absolute() if home else None)
    invocation.backend = given.get("--backend")
    invocation.device = given.get("--device")
    invocation.verbose = "-v" in given
    guarded(invocation, lambda: _run(invocation))
    raise SystemExit


def _given(args: Sequence[str]) -> dict[str, str] | None:
    """Sort the options; None where one lacks its value, or there is something else."""
    given: dict[str, str] = {}
    rest = iter(args)
    for arg in rest:
        name, equals, value = arg.partition("=")
        if arg in _VERBOSE:
            given["-v"] = arg
        elif name in _FLAGS:
            given[name] = value if equals else next(rest, "")
        else:
            return None
    return given if all(given.values()) else None


def _is_known(home: str) -> bool:
    """Tell whether it says whose home is meant, if it begins with `~`."""
    try:
        Path(home).expanduser()
    except RuntimeError:
        return False
    return True


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _run(invocation: Invocation) -> None:
    """Run it; settings that are wrong are told by the daemon, which reads them."""
    from pplx_local.tui import run

    if any(invocation.flags().values()) and (daemon := invocation.daemon()):
        invocation.refuse_others(daemon)
    run(invocation.home_folder(), invocation.flags())
