"""Memory that is free in this process, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Return what the walk of a large folder has left behind.

    glibc keeps freed blocks between others in use for ever unless told to; other
    systems' allocators return them by themselves.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim:
            trim(0)
