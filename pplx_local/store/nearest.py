"""The exact shortlist, of any selection and for any k: every row is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pplx_local.store.dense import DenseTable
from pplx_local.store.selection import Selection

Nearest = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Chunk ids and Hamming distances, (k,) each or fewer, sorted."""

_SMALLEST_SHARE = 0.05
"""A selection is not taken for smaller: its share is an estimate."""


def nearest(
    table: DenseTable,
    query_bits: NDArray[np.uint8],
    k: int,
    within: Selection | None = None,
    part: tuple[int, int] = (0, 1),
) -> Nearest:
    """Find exactly the k nearest rows by Hamming distance, ties by chunk id.

    Args:
        table: Is read in one snapshot.
        query_bits: (B/8,) packed most significant bit first.
        k: How many, without a limit.
        within: Of these rows alone.
        part: Of the table, as `DenseTable.distances` has it.
    """
    ids, distances = table.distances(query_bits, part)
    if within is not None and within.ids is not None:
        held = np.isin(ids, within.ids)
        ids, distances = ids[held], distances[held]
    if within is None or within.ids is not None:
        best = _smallest(ids, distances, k)
    else:
        best = _smallest_held(ids, distances, k, within)
    return ids[best], distances[best]


def merged(parts: Sequence[Nearest], k: int) -> Nearest:
    """Find the k nearest of all parts, which may be of two states of the table."""
    ids, first = np.unique(np.concatenate([one[0] for one in parts]), return_index=True)
    distances = np.concatenate([one[1] for one in parts])[first]
    best = _smallest(ids, distances, k)
    return ids[best], distances[best]


def _smallest(
    ids: NDArray[np.int64], distances: NDArray[np.int32], k: int
) -> NDArray[np.intp]:
    """Give the places of the k smallest distances, sorted, ties by id."""
    near = np.arange(len(ids))
    if k < len(ids):
        near = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1])
    return near[np.lexsort((ids[near], distances[near]))][:k]


def _smallest_held(
    ids: NDArray[np.int64], distances: NDArray[np.int32], k: int, within: Selection
) -> NDArray[np.intp]:
    """Do so for the rows of a selection that can only be tested."""
    n = int(k / max(within.share, _SMALLEST_SHARE)) + k
    while True:
        best = _smallest(ids, distances, n)
        held = best[within.holds(ids[best])]
        if len(held) >= k or n >= len(ids):
            return held[:k]
        n *= 2
