"""From the start of the process to the command, on the shortest way that there is."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from pplx_local import umask
from pplx_local.cli.interface import run_interface
from pplx_local.cli.quick import search_quickly


def main() -> None:
    """Run the program."""
    umask.restrict()
    signal.signal(signal.SIGTERM, _leave)
    _open_closed_streams()
    # A name that the terminal's encoding lacks should not end the program.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    gc.disable()  # a short run leaves nothing to collect, and loading nothing either
    code = search_quickly(sys.argv[1:])
    if code is not None:
        _end_at_once(code)
    run_interface(sys.argv[1:])
    gc.enable()
    from pplx_local.cli.app import main as run

    run()


def _end_at_once(code: int) -> NoReturn:
    """Leave without taking every module apart, which takes longer than to print hits.

    Standard output has been flushed already, by what notices that nobody reads it.
    """
    sys.stderr.flush()
    os._exit(code)


def _open_closed_streams() -> None:
    """Point streams that the caller has closed at the null device.

    Otherwise the next file that is opened gets their number, and what they are sent.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End as after an error: the database closed, the cursor visible again."""
    raise SystemExit(128 + number)
