"""The candidates that still have a file, the best first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from pplx_local.search.legs import Ids, Values
from pplx_local.search.ranking import best_first
from pplx_local.store import ChunkRef, Store

_AT_ONCE = 64


class Found(NamedTuple):
    """A candidate whose file is still there."""

    candidate: int
    """Into the ranking."""
    score: float
    ref: ChunkRef
    paths: tuple[bytes, ...]
    """All files that hold it, by path; never none."""


class Living:
    """Asks the store no more than the iteration goes on for."""

    def __init__(self, store: Store, is_gone: Callable[[bytes], bool]) -> None:
        """Bind a store; `is_gone` tells whether a file was deleted."""
        self._store, self._is_gone = store, is_gone
        self._paths: dict[int, list[bytes]] = {}
        self._alive: dict[int, tuple[bytes, ...]] = {}

    @property
    def n_documents(self) -> int:
        """How many documents were looked at so far."""
        return len(self._alive)

    def best_first(self, ids: Ids, scores: Values) -> Iterator[Found]:
        """Give those of N candidates (N,) that are found; ties by path, then ordinal."""
        ranked = self._with_refs(ids, best_first(ids, scores))
        for score, tied in groupby(ranked, key=lambda one: float(scores[one[0]])):
            found = [
                Found(index, score, ref, self._living(ref.document_id))
                for index, ref in tied
            ]
            alive = [one for one in found if one.paths]
            yield from sorted(alive, key=lambda one: (one.paths[0], one.ref.ordinal))

    def _with_refs(
        self, ids: Ids, order: Sequence[int]
    ) -> Iterator[tuple[int, ChunkRef]]:
        for first in range(0, len(order), _AT_ONCE):
            some = order[first : first + _AT_ONCE]
            refs = self._store.chunk_refs([int(ids[index]) for index in some])
            new = {ref.document_id for ref in refs} - self._paths.keys()
            self._paths |= self._store.paths_of_each(new)
            yield from zip(some, refs, strict=True)

    def _living(self, document_id: int) -> tuple[bytes, ...]:
        if document_id not in self._alive:
            paths = self._paths[document_id]
            alive = tuple(path for path in paths if not self._is_gone(path))
            self._alive[document_id] = alive
        return self._alive[document_id]
