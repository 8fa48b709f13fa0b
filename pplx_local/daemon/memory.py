"""The memory of this process: what stays in it, and what is given back."""

from __future__ import annotations

import ctypes
import gc
import sys


def keep_loaded() -> None:
    """Look for garbage no more in what is loaded by now: it stays until the end.

    A full collection comes every second or so while somebody types, and lets all
    searches wait. To look through the program's own modules each time took 60 ms, where
    an answer by keywords takes 15.
    """
    gc.collect()
    gc.freeze()


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
