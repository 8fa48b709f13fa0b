"""What the indexer is doing, for whoever asks."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from pplx_local import __version__
from pplx_local.daemon.vitals import Vitals
from pplx_local.records import DaemonStatus, Progress, Stage

_ENOUGH_S = 0.5
"""Before that a rate says more about the start than about the work."""


class _Run(NamedTuple):
    """The run of a stage that is under way."""

    stage: Stage
    started: float
    done: int
    """When it started."""


class Reporter:
    """Written by the indexing thread, read by all: each value is replaced, not changed."""

    def __init__(self) -> None:
        self._started_ns = time.time_ns()
        self._run: _Run | None = None
        self._progress: Progress | None = None
        self._waits: str | None = None
        self.trouble: str | None = None
        self._vitals = Vitals()

    def note(self, progress: Progress) -> None:
        """Take progress; one that falls back, or of another stage, begins a run."""
        run, before = self._run, self._progress
        is_same = run and before and run.stage == progress.stage
        if not is_same or (before and progress.done < before.done):
            self._run = _Run(progress.stage, time.monotonic(), progress.done)
        self._progress, self._waits = progress, None

    def idle(self, waits: str | None) -> None:
        """Nothing is being done; `waits` says why, where there would be something."""
        self._run, self._progress, self._waits = None, None, waits

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being done."""
        return self._progress is None

    def status(self, *, paused: bool) -> DaemonStatus:
        """Say it all."""
        progress = self._progress
        rate = self._rate(progress)
        left = None
        if progress and progress.total is not None and rate:
            left = (progress.total - progress.done) / rate
        return DaemonStatus(
            pid=os.getpid(),
            version=__version__,
            started_ns=self._started_ns,
            doing=progress,
            rate=rate,
            seconds_left=left,
            waits=self._waits,
            trouble=self.trouble,
            paused=paused,
            memory_bytes=self._vitals.memory_bytes(),
            power=self._vitals.power(),
        )

    def _rate(self, progress: Progress | None) -> float | None:
        run = self._run
        if run is None or progress is None or progress.stage != run.stage:
            return None
        seconds, done = time.monotonic() - run.started, progress.done - run.done
        return done / seconds if seconds > _ENOUGH_S and done > 0 else None
