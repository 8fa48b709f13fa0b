"""How a process lets others go first."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10
"""Of the daemon's work, and of the children that do it."""


def lower(niceness: int) -> None:
    """Give this process at least this niceness, and the last turn at the disk.

    Called before it starts threads, which inherit both. The disk's part is Linux's
    alone. What the system does not permit is left as it is.

    Args:
        niceness: 0 for nothing at all, 19 for the most.
    """
    if niceness <= 0 or sys.platform == "win32":
        return
    with suppress(OSError):
        os.nice(max(niceness - os.nice(0), 0))
    if sys.platform == "linux":
        import psutil

        with suppress(psutil.Error, OSError):
            # Not the idle class: a query may wait for what is read here.
            psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, value=7)


def lower_thread() -> None:
    """Let everything else go first: this thread on Linux, this process on macOS.

    Linux keeps a niceness for each thread, and derives from it how long the thread
    waits for the disk: the threads that answer queries keep theirs.
    """
    who = threading.get_native_id() if sys.platform == "linux" else 0
    with suppress(OSError):
        own = os.getpriority(os.PRIO_PROCESS, who)
        os.setpriority(os.PRIO_PROCESS, who, max(own, NICENESS))
