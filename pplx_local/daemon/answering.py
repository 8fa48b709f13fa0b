"""Searches while the indexer writes: readers of their own, and the right of way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pplx_local.index import Index

_KEPT_S = 60.0
"""How long a reader that nobody uses stays open: its cache is memory too."""


class Answering:
    """Read-only indexes, one for each search that runs at the same time."""

    def __init__(self, open_reader: Callable[[], Index]) -> None:
        """Open none; `open_reader` opens one for reading, whatever thread asks."""
        self._open_reader = open_reader
        self._lock = threading.Lock()
        self._spare: list[tuple[float, Index]] = []
        """Readers that nobody uses, the one used last at the end, and since when."""
        self._n_running = 0
        self._generation = 0
        self._free = threading.Event()
        self._free.set()

    @contextmanager
    def reader(self) -> Iterator[Index]:
        """Lend a reader; one that failed is not lent again."""
        generation = self._generation
        index = self._take()
        try:
            yield index
        except GeneratorExit:  # nobody waits for the rest of its steps
            self._give_back(index, generation)
            raise
        except BaseException:
            index.close()
            raise
        self._give_back(index, generation)

    @contextmanager
    def right_of_way(self) -> Iterator[None]:
        """Let the indexer wait for as long as a person does."""
        with self._lock:
            self._n_running += 1
            self._free.clear()
        try:
            yield
        finally:
            with self._lock:
                self._n_running -= 1
                if not self._n_running:
                    self._free.set()

    def give_way(self, at_most_s: float) -> None:
        """Wait until no search runs; called by the indexer between two steps."""
        self._free.wait(at_most_s)

    def renew(self) -> None:
        """Open readers anew from now on: the settings have changed."""
        with self._lock:
            self._generation += 1
            spare, self._spare = self._spare, []
        for _, index in spare:
            index.close()

    def rest(self, after_s: float = _KEPT_S) -> None:
        """Close the readers that were not used for so long."""
        oldest = time.monotonic() - after_s
        with self._lock:
            idle = [index for since, index in self._spare if since <= oldest]
            self._spare = [one for one in self._spare if one[0] > oldest]
        for index in idle:
            index.close()

    def _take(self) -> Index:
        with self._lock:
            if self._spare:
                return self._spare.pop()[1]
        return self._open_reader()

    def _give_back(self, index: Index, generation: int) -> None:
        with self._lock:
            if generation == self._generation:
                self._spare.append((time.monotonic(), index))
                return
        index.close()
