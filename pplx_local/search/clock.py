"""How long each leg took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pplx_local.records import Leg


class Clock:
    """Milliseconds by leg, and since the question was asked."""

    def __init__(self) -> None:
        """Start it."""
        self._started = time.perf_counter()
        self.ms: dict[str, float] = {}

    @contextmanager
    def time(self, leg: Leg) -> Iterator[None]:
        """Count what is done meanwhile as done by a leg."""
        started = time.perf_counter()
        yield
        ms = (time.perf_counter() - started) * 1000
        self.ms[leg] = round(self.ms.get(leg, 0.0) + ms, 2)

    def took_ms(self) -> float:
        """Say how long it is since the start."""
        return round((time.perf_counter() - self._started) * 1000, 1)
