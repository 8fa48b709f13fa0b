"""A daemon that a front end keeps for itself: it ends with the front end."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress

_STDIN = 0


def end_with_parent() -> None:
    """End as by a signal when stdin ends: its other end has been closed, or killed."""
    threading.Thread(target=_wait, name="parent", daemon=True).start()


def _wait() -> None:
    # By the descriptor: a thread that waits in `sys.stdin` holds up the interpreter's end.
    with suppress(OSError):  # one that is not open has ended too
        while os.read(_STDIN, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
