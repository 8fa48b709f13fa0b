"""All token vectors of a space where the encoder computes, scored without a shortlist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pplx_local.backend import Resident
from pplx_local.backend.packed import joined, largest
from pplx_local.errors import PplxLocalError
from pplx_local.records import Nearest, TokenVectors

_SEGMENT_BYTES = 256 << 20
"""What is added joins the last segment, which is brought to the device anew, until that
is so large: an edit costs milliseconds, and a large index has few segments."""

_Ids = NDArray[np.int64]


@dataclass(slots=True)
class _Segment:
    """Chunks that were made resident together."""

    ids: _Ids
    """(C,)"""
    docs: TokenVectors | None
    """What it was made of; None once nothing joins it any more."""
    resident: Resident
    alive: NDArray[np.bool_]
    """(C,) Whether each is still wanted."""
    _by_id: _Ids = field(init=False)
    """(C,) Their places, by id."""

    def __post_init__(self) -> None:
        """Sort once: every search asks for chunks by id."""
        self._by_id = np.argsort(self.ids)

    def best(self, query: TokenVectors, k: int) -> Nearest:
        """Find the k best chunks that are wanted, by id."""
        n_dead = len(self.alive) - int(self.alive.sum())
        chunks, values = self.resident.best(query, k + n_dead)
        wanted = self.alive[chunks]
        return Nearest(self.ids[chunks[wanted]], values[wanted])

    def scores(self, query: TokenVectors, ids: _Ids) -> NDArray[np.float32]:
        """Score chunks (N,) by id; nan for those that are not here, or not wanted."""
        near = np.searchsorted(self.ids, ids, sorter=self._by_id)
        places = self._by_id[np.minimum(near, len(self.ids) - 1)]
        here = (self.ids[places] == ids) & self.alive[places]
        values = np.full(len(ids), np.nan, dtype=np.float32)
        if here.any():
            values[here] = self.resident.maxsim(query, places[here]).values
        return values


class Residence:
    """What one client keeps here.

    Args:
        make: Brings token vectors to the device.
    """

    def __init__(self, make: Callable[[TokenVectors], Resident]) -> None:
        self._make = make
        self._name: str | None = None
        self._segments: list[_Segment] = []

    def keep(self, name: str, ids: Sequence[int], docs: TokenVectors) -> None:
        """Add chunks; with another name than before all others are let go.

        Raises:
            BackendUnavailable: There is no room for them; nothing is kept any more.
        """
        if name != self._name:
            self._name, self._segments = name, []
        added = np.asarray(ids, dtype=np.int64)
        alive = np.ones(len(added), dtype=np.bool_)
        last = self._segments[-1] if self._segments else None
        if last and last.docs:
            self._segments.pop()
            added = np.concatenate([last.ids, added])
            alive = np.concatenate([last.alive, alive])
            docs = joined([last.docs, docs])
        last = None  # its memory first: both may be more than there is
        is_full = docs.codes.nbytes >= _SEGMENT_BYTES
        kept = None if is_full else docs
        try:
            resident = self._make(docs)
        except PplxLocalError:  # some of all chunks are of no use
            self.let_all_go()
            raise
        self._segments.append(_Segment(added, kept, resident, alive))

    def let_go(self, name: str, ids: Sequence[int]) -> None:
        """Leave chunks out from now on."""
        if name == self._name:
            for segment in self._segments:
                segment.alive &= ~np.isin(segment.ids, ids)
            self._segments = [one for one in self._segments if one.alive.any()]

    def let_all_go(self) -> None:
        """Give the memory back."""
        self._name, self._segments = None, []

    def best(
        self, name: str, n_chunks: int, query: TokenVectors, k: int
    ) -> Nearest | None:
        """Find the k best chunks by id, ties by id.

        Args:
            name: What they were kept by.
            n_chunks: How many there have to be.
            query: int8, one chunk.
            k: At most so many.

        Returns:
            None where other chunks are here, or none: another process kept them.
        """
        n_alive = sum(int(segment.alive.sum()) for segment in self._segments)
        if name != self._name or n_alive != n_chunks:
            return None
        found = [segment.best(query, k) for segment in self._segments]
        ids = np.concatenate([np.empty(0, np.int64), *(one.chunks for one in found)])
        values = np.concatenate(
            [np.empty(0, np.float32), *(one.values for one in found)]
        )
        order = np.argsort(ids)
        first = largest(values[order], k)
        return Nearest(ids[order][first.chunks], first.values)

    def scores(
        self, name: str, query: TokenVectors, ids: Sequence[int]
    ) -> NDArray[np.float32] | None:
        """Score chunks by id.

        Args:
            name: What they were kept by.
            query: int8, one chunk.
            ids: N of them.

        Returns:
            (N,) MaxSim, nan for those that are not here; None where all are others.
        """
        if name != self._name:
            return None
        wanted = np.asarray(ids, dtype=np.int64)
        values = np.full(len(wanted), np.nan, dtype=np.float32)
        for segment in self._segments:
            values = np.fmax(values, segment.scores(query, wanted))
        return values
