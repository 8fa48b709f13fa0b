"""Packed rows of several chunks: which belong to whom, and how many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Nearest, TokenVectors


def groups(
    chunks: NDArray[np.int64], lengths: NDArray[np.int64], most_rows: int
) -> Iterator[NDArray[np.int64]]:
    """Cut chunks into runs of at most `most_rows` rows, or of one chunk.

    Args:
        chunks: Indices into `lengths`.
        lengths: Rows of each chunk.
        most_rows: What a run may have together.
    """
    ends = np.cumsum(lengths[chunks])
    first = 0
    while first < len(chunks):
        limit = ends[first] - lengths[chunks[first]] + most_rows
        last = max(first + 1, int(np.searchsorted(ends, limit, "right")))
        yield chunks[first:last]
        first = last


def rows_of(
    cu_seqlens: NDArray[np.int64], chunks: NDArray[np.int64]
) -> slice | NDArray[np.int64]:
    """Say which rows these chunks own: a slice where they are neighbours."""
    starts, ends = cu_seqlens[chunks], cu_seqlens[chunks + 1]
    if np.array_equal(starts[1:], ends[:-1]):
        return slice(int(starts[0]), int(ends[-1]))
    return np.concatenate([np.arange(*span) for span in zip(starts, ends, strict=True)])


def joined(parts: Sequence[TokenVectors]) -> TokenVectors:
    """Put the chunks of several, of one encoding, behind one another."""
    lengths = [np.diff(one.cu_seqlens) for one in parts]
    scales = [one.scales for one in parts if one.scales is not None]
    return TokenVectors(
        parts[0].encoding,
        np.concatenate([one.codes for one in parts]),
        np.concatenate(scales) if scales else None,
        np.concatenate([one.positions for one in parts]),
        np.cumsum([0, *np.concatenate(lengths)], dtype=np.int32),
    )


def largest(values: NDArray[np.float32], k: int) -> Nearest:
    """Find the k largest scores (C,), the first of equals; chunks without rows never."""
    near = np.flatnonzero(values > -np.inf)
    if k < len(near):
        bound = np.partition(values[near], len(near) - k)[len(near) - k]
        near = near[values[near] >= bound]
    near = near[np.lexsort((near, -values[near]))][:k]
    return Nearest(near, values[near])
