"""The box that a parser's process locks itself into before it sees a file.

On Linux Landlock and a seccomp filter, on macOS a Seatbelt profile; where a system has
less, what it has. Limits of time and memory are `documents.limits`'s.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from typing import NamedTuple

from pplx_local.documents.sandbox import landlock, needed, seatbelt, seccomp
from pplx_local.documents.sandbox.seatbelt import command

_SET_NO_NEW_PRIVS = 38


class Hold(NamedTuple):
    """What binds a process."""

    landlock: int = 0
    """The version of it; 0 where there is none."""
    seccomp: bool = False
    seatbelt: bool = False


def lock_in(programs: Iterable[str] = ()) -> Hold:
    """Give up what parsing does not need, for good; call it before there are threads.

    From then on this process, and all that it starts, opens nothing of a person's,
    writes nothing, reaches no network and no other process.

    Args:
        programs: Names of programs that it may run all the same.

    Returns:
        What of that the system could do.
    """
    if sys.platform != "linux":
        return Hold(seatbelt=seatbelt.holds())
    # Without it neither is permitted: a program with more rights could be misled.
    if ctypes.CDLL(None).prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return Hold()
    runnable = needed.runnable(programs)
    abi = landlock.restrict(
        readable=needed.readable(), writable=needed.WRITABLE, programs=runnable
    )
    needs = seccomp.Needs(
        programs=bool(runnable),
        signals=abi >= landlock.SCOPE_ABI,
        write_opens=abi > 0,
    )
    return Hold(abi, seccomp.restrict(needs))


__all__ = ["Hold", "command", "lock_in"]
