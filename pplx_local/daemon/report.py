"""What the indexer is doing, for whoever asks."""

from __future__ import annotations

import os
import time

from pplx_local import __version__
from pplx_local.daemon.vitals import Vitals
from pplx_local.pace import Pace
from pplx_local.records import DaemonStatus, Progress


class Reporter:
    """Written by the indexing thread, read by all: each value is replaced, not changed."""

    def __init__(self, *, with_parent: bool) -> None:
        self._with_parent = with_parent
        self._started_ns = time.time_ns()
        self._pace = Pace()
        self._progress: Progress | None = None
        self._waits: str | None = None
        self.trouble: str | None = None
        self._vitals = Vitals()

    def note(self, progress: Progress) -> None:
        """Take progress."""
        self._pace.note(progress, time.monotonic())
        self._progress, self._waits = progress, None

    def idle(self, waits: str | None) -> None:
        """Nothing is being done; `waits` says why, where there would be something."""
        self._pace, self._progress, self._waits = Pace(), None, waits

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being done."""
        return self._progress is None

    def status(self, *, paused: bool) -> DaemonStatus:
        """Say it all."""
        pace, now = self._pace, time.monotonic()
        return DaemonStatus(
            pid=os.getpid(),
            version=__version__,
            started_ns=self._started_ns,
            doing=self._progress,
            rate=pace.rate(now),
            seconds_left=pace.seconds_left(now),
            waits=self._waits,
            trouble=self.trouble,
            paused=paused,
            memory_bytes=self._vitals.memory_bytes(),
            power=self._vitals.power(),
            with_parent=self._with_parent,
        )
