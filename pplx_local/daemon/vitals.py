"""What the daemon takes of the computer, and what that lives on, for who looks on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import psutil

from pplx_local.daemon.power import read_conditions

_MEMORY_S = 1.0
"""The list of all processes is gone through for it: 10 ms, or more."""
_POWER_S = 20.0
"""On macOS two programs are run for it."""

_Value = TypeVar("_Value")


class Kept(Generic[_Value]):
    """A measurement that is made anew at most so often; any thread may ask."""

    def __init__(self, measure: Callable[[], _Value], for_s: float) -> None:
        """Measure nothing yet."""
        self._measure, self._for_s = measure, for_s
        self._lock = threading.Lock()
        self._last: tuple[_Value, float] | None = None

    def __call__(self) -> _Value:
        """Measure, or say what was measured last."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[1] >= self._for_s:
                self._last = self._measure(), time.monotonic()
            return self._last[0]


class Vitals:
    """Cheap to ask, however often."""

    def __init__(self) -> None:
        """Measure nothing yet."""
        self.memory_bytes = Kept(memory_bytes, _MEMORY_S)
        self.power = Kept(read_conditions, _POWER_S)


def memory_bytes() -> int:
    """Add up what this process and its children hold of the memory."""
    own = psutil.Process()
    return sum(map(_resident_bytes, (own, *own.children(recursive=True))))


def _resident_bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error):  # it has ended meanwhile
        return int(process.memory_info().rss)
    return 0
