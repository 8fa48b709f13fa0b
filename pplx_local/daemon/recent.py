"""What happened to files lately, for who watches the indexer work."""

from __future__ import annotations

import threading
import time
from collections import deque
from itertools import count

from pplx_local.index import Happening
from pplx_local.records import FileEvent

KEPT = 100


class Recent:
    """The last things that happened; in memory alone, as they name files."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._lock = threading.Lock()
        self._events: deque[FileEvent] = deque(maxlen=KEPT)
        # From the clock: who has asked an earlier daemon goes on with its last number.
        self._numbers = count(time.time_ns() // 1_000_000)

    def note(self, happening: Happening) -> None:
        """Take what has happened just now."""
        path, fate, reason, took_ms = happening
        with self._lock:
            number = next(self._numbers)
            event = FileEvent(number, path, fate, reason, time.time_ns(), took_ms)
            self._events.append(event)

    def after(self, number: int) -> list[FileEvent]:
        """List what is kept and has a higher number, the oldest first."""
        with self._lock:
            return [event for event in self._events if event.number > number]
