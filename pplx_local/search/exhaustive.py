"""Late interaction with every chunk: token vectors that stay where the model computes.

They are loaded once, beside the searches, which go by shortlists until then; and follow
the documents as these change. Without them nothing is lost but time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from pplx_local.errors import PplxLocalError
from pplx_local.records import Nearest, TokenVectors
from pplx_local.store import Space, Store

_AT_ONCE = 2_000
"""Chunks that a search itself brings over: more are loaded beside it."""
_BATCH_CHUNKS = 8_000
_RETRY_S = 60.0
"""After a loading that failed; until then searches go by shortlists."""
ROOM = 0.8
"""Of the memory that nobody uses: the model needs some for each pass."""


class Keeper(Protocol):
    """What is asked of an encoder worker."""

    def keep(self, name: str, ids: list[int], docs: TokenVectors) -> Future[None]:
        """Add chunks to those that are kept."""
        ...

    def let_go(self, name: str, ids: list[int]) -> Future[None]:
        """Leave chunks out from now on."""
        ...

    def best(
        self, name: str, n_chunks: int, query: TokenVectors, k: int
    ) -> Nearest | None:
        """Find the k best of the chunks that are kept; None where others are."""
        ...

    def scores(
        self, name: str, query: TokenVectors, ids: list[int]
    ) -> NDArray[np.float32] | None:
        """Score some of the chunks that are kept, nan for others; None as `best`."""
        ...

    def let_all_go(self) -> Future[None]:
        """Give the memory of what is kept back."""
        ...

    def free_bytes(self) -> int:
        """Tell how much memory nobody uses."""
        ...


class Exhaustive:
    """What one encoder keeps of one space. Any thread may ask, with its own store."""

    def __init__(self, keeper: Keeper, space: Space) -> None:
        """Keep nothing yet."""
        self.space, self._keeper = space, keeper
        self._lock = threading.Lock()
        self._loading = False
        self._not_before = -math.inf
        self._start_anew()

    def best(self, store: Store, query: TokenVectors, k: int) -> Nearest | None:
        """Find the k best of all visible chunks by MaxSim.

        Returns:
            None where they are not all there yet, or do not fit: a shortlist has to do.
        """
        with self._lock:
            if not self._catch_up(store):
                return None
            name, n_chunks = self._name, self._n_chunks
        try:
            found = self._keeper.best(name, n_chunks, query, k)
        except PplxLocalError:  # the other legs still answer
            found = None
        if found is None:
            with self._lock:
                if name == self._name:  # its process ended, and all that it kept
                    self._start_anew()
        return found

    def scores(
        self, query: TokenVectors, chunk_ids: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score chunks (N,) by MaxSim; nan for those that are not kept (yet)."""
        with self._lock:
            name, has_some = self._name, bool(self._held)
        found = None
        if has_some:
            with suppress(PplxLocalError):  # they can be scored without
                found = self._keeper.scores(name, query, chunk_ids.tolist())
        if found is None:
            return np.full(len(chunk_ids), np.nan, dtype=np.float32)
        return np.array(found)  # what came through a pipe may not be written to

    def _start_anew(self) -> None:
        self._name = uuid4().hex
        self._held: dict[int, range] = {}
        """Chunks by document."""
        self._n_chunks = self._n_gone = 0

    def _catch_up(self, store: Store) -> bool:
        """Follow the documents; tell whether all are there. Called with the lock."""
        wanted = store.complete_documents(self.space)
        if self._loading or time.monotonic() < self._not_before:
            return False
        n_missing = sum(len(wanted[one]) for one in wanted.keys() - self._held.keys())
        if n_missing > _AT_ONCE or self._n_gone > max(self._n_chunks, _AT_ONCE):
            self._loading = True
            threading.Thread(target=self._load, args=(store.path,), daemon=True).start()
            return False
        try:
            self._follow(store, wanted)
        except PplxLocalError:
            self._give_up()
            return False
        return True

    def _load(self, path: Path) -> None:
        """Load all that is there now, on a thread of its own."""
        try:
            with Store.open(path, readonly=True) as store:
                self._start_anew()
                self._keeper.let_all_go().result()  # else it would need its room twice
                if self._fits(store):
                    self._follow(store, store.complete_documents(self.space))
                else:
                    self._give_up()
        except PplxLocalError:
            self._give_up()
        finally:
            self._loading = False

    def _fits(self, store: Store) -> bool:
        needed = store.space_bytes(self.space)
        return needed <= ROOM * self._keeper.free_bytes()

    def _give_up(self) -> None:
        """Let searches go by shortlists for a while."""
        self._start_anew()
        self._not_before = time.monotonic() + _RETRY_S

    def _follow(self, store: Store, wanted: Mapping[int, range]) -> None:
        """Bring over the chunks of new documents, and let those of others go."""
        gone = [self._held.pop(one) for one in self._held.keys() - wanted.keys()]
        if ids := list(chain.from_iterable(gone)):
            self._keeper.let_go(self._name, ids).result()
            self._n_chunks -= len(ids)
            self._n_gone += len(ids)
        new = {one: wanted[one] for one in sorted(wanted.keys() - self._held.keys())}
        for ids in _batches(chain.from_iterable(new.values())):
            docs = store.token_vectors(self.space, ids)
            self._keeper.keep(self._name, ids, docs).result()
            self._n_chunks += len(ids)
        self._held |= new


def _batches(ids: Iterator[int]) -> Iterator[list[int]]:
    while batch := list(islice(ids, _BATCH_CHUNKS)):
        yield batch
