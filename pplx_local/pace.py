"""How fast a piece of work goes, and how long it will take."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from pplx_local.records import Progress

RECENT_S = 30.0
"""What a rate is taken over. Not the whole run: one that is gone on with starts with what
is known already, a hundred times as fast as all that comes after."""

_ENOUGH_S = 0.5
"""Before that a rate says more about the start than about the work."""
_SAMPLE_S = 0.5


class _Sample(NamedTuple):
    now: float
    done: int


class Pace:
    """The pace of a stage's present run; one that falls back has begun anew.

    One thread notes, any may ask: what they share is replaced or grows, in one step.
    """

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._samples: deque[_Sample] = deque()

    def note(self, progress: Progress, now: float) -> None:
        """Take progress into account; `now` in seconds of any clock that only grows."""
        before, self._progress = self._progress, progress
        sample = _Sample(now, progress.done)
        if not before or before.stage != progress.stage or progress.done < before.done:
            self._samples = deque([sample])
        elif now - self._samples[-1].now >= _SAMPLE_S:
            self._samples.append(sample)
        while len(self._samples) > 1 and self._samples[1].now <= now - RECENT_S:
            self._samples.popleft()

    def rate(self, now: float) -> float | None:
        """Units per second of late; None while there is too little to tell."""
        if self._progress is None:
            return None
        since = self._samples[0]
        seconds, done = now - since.now, self._progress.done - since.done
        return done / seconds if seconds > _ENOUGH_S and done > 0 else None

    def seconds_left(self, now: float) -> float | None:
        """Seconds that the rest takes at this rate; None where there is no telling."""
        progress, rate = self._progress, self.rate(now)
        if progress is None or progress.total is None or rate is None:
            return None
        return max(progress.total - progress.done, 0) / rate
