"""MaxSim on codes as they are stored, without padding and without unpacking them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from pplx_local.backend.packed import groups, largest, rows_of
from pplx_local.records import Nearest, Scores, TokenVectors
from pplx_local_mlx.quantize import to_host

_ROWS_AT_ONCE = 16_384
"""Rows of a group: what bounds the memory of products and of unpacked bits."""
_GROUP_SIZES = (128, 64, 32)
"""Of `mx.quantized_matmul`; one has to divide D."""


class ResidentTokens:
    """Token codes on a device; an `pplx_local.backend.Resident`."""

    def __init__(self, docs: TokenVectors, device: mx.DeviceType) -> None:
        self._device = device
        self._cu_seqlens = docs.cu_seqlens.astype(np.int64)
        self._bits = docs.encoding == "bits"
        with mx.stream(device):
            codes = docs.codes if self._bits else _offset(docs.codes)
            self._codes = mx.array(codes)
            self._scales = None if docs.scales is None else mx.array(docs.scales)

    def maxsim(
        self, query: TokenVectors, chunks: Sequence[int] | NDArray[np.int64]
    ) -> Scores:
        """Score the chunks at these indices."""
        return self._score(query, np.asarray(chunks, dtype=np.int64), False)

    def score_all(self, query: TokenVectors, *, want_matches: bool = False) -> Scores:
        """Score all chunks, in order."""
        everything = np.arange(len(self._cu_seqlens) - 1)
        return self._score(query, everything, want_matches)

    def best(self, query: TokenVectors, k: int) -> Nearest:
        """Find the k best of all chunks."""
        return largest(self.score_all(query).values, k)

    def _score(
        self, query: TokenVectors, chunks: NDArray[np.int64], want_matches: bool
    ) -> Scores:
        values = np.full(len(chunks), -np.inf, dtype=np.float32)
        matches = np.full((len(chunks), len(query.codes)), -1, dtype=np.int32)
        lengths = self._cu_seqlens[chunks + 1] - self._cu_seqlens[chunks]
        filled = np.flatnonzero(lengths)
        if not len(query.codes):  # MLX dies of products of nothing
            values[filled], filled = 0, filled[:0]
        with mx.stream(self._device):
            for group in groups(filled, lengths, _ROWS_AT_ONCE):
                sims = self._similarities(query, self._rows(chunks[group]))
                owners = mx.array(np.repeat(np.arange(len(group)), lengths[group]))
                best = _segment_max(sims, owners, len(group))  # (C, Q)
                values[group] = to_host(best.sum(axis=1))
                if want_matches:
                    rows = mx.array(_numbers_within(lengths[group]))
                    matches[group] = to_host(_first(sims, best, owners, rows))
        return Scores(values, matches if want_matches else None)

    def _rows(self, chunks: NDArray[np.int64]) -> slice | mx.array:
        """Say which rows these chunks own."""
        rows = rows_of(self._cu_seqlens, chunks)
        return rows if isinstance(rows, slice) else mx.array(rows)

    def _similarities(self, query: TokenVectors, rows: slice | mx.array) -> mx.array:
        """Compare rows with the query's, multiplied as in the reference: (n, Q)."""
        assert query.scales is not None, "a query is int8"
        codes = mx.array(query.codes).astype(mx.float32)  # (Q, D)
        scales = mx.array(query.scales)
        if self._scales is None:
            # With b in 0 and 1 for -1 and +1, the product is 2 * b * q - q.
            products = _unpack(self._codes[rows], codes.shape[1]) @ codes.T
            dots = products * 2 - codes.sum(axis=1)
            return dots * scales * np.float32(1 / np.sqrt(codes.shape[1])).item()
        dots = _dots(codes, self._codes[rows])
        return dots * scales * self._scales[rows][:, None]


def _offset(codes: NDArray[Any]) -> NDArray[np.uint32]:
    """Write int8 codes (T, D) as 0 to 255, four to a word: (T, padded D / 4).

    Columns are added up to a multiple of the smallest group; they hold zeros.
    """
    missing = -codes.shape[1] % _GROUP_SIZES[-1]
    if missing:
        codes = np.pad(codes, ((0, 0), (0, missing)))
    words: NDArray[np.uint32] = (codes.view(np.uint8) ^ 0x80).view(np.uint32)
    return words


def _dots(query: mx.array, words: mx.array) -> mx.array:
    """Multiply query rows (Q, D) with offset codes (n, padded D / 4): (n, Q).

    The codes stay packed. Scales of one and biases of -128 keep every factor a whole
    number of eight bits, and so every sum exact, even where a GPU rounds its factors.
    """
    dim = words.shape[1] * 4
    size = next(size for size in _GROUP_SIZES if dim % size == 0)
    ones = mx.ones((len(words), dim // size), dtype=mx.float32)
    padded = mx.pad(query, [(0, 0), (0, dim - query.shape[1])])
    dots = mx.quantized_matmul(
        padded, words, ones, ones * -128, group_size=size, bits=8
    )
    return dots.T


def _unpack(codes: mx.array, dim: int) -> mx.array:
    """Unpack bits (n, D/8) into 0 and 1, (n, D) float32."""
    shifts = mx.arange(7, -1, -1, dtype=mx.uint8)
    ones = mx.flatten((codes[..., None] >> shifts) & 1, 1)
    return ones[:, :dim].astype(mx.float32)


def _segment_max(sims: mx.array, owners: mx.array, n_chunks: int) -> mx.array:
    """Take the maximum of (n, Q) over the rows of each chunk: (C, Q)."""
    return mx.full((n_chunks, sims.shape[1]), -mx.inf).at[owners].maximum(sims)


def _first(
    sims: mx.array, best: mx.array, owners: mx.array, rows: mx.array
) -> mx.array:
    """Find the first row of each chunk that has its best similarity: (C, Q) int32."""
    none = np.iinfo(np.int32).max
    numbers = mx.where(sims == best[owners], rows[:, None], none)
    return mx.full(best.shape, none, dtype=mx.int32).at[owners].minimum(numbers)


def _numbers_within(lengths: NDArray[np.int64]) -> NDArray[np.int32]:
    """Number the rows of each chunk from 0: (n,)."""
    starts = np.cumsum(lengths) - lengths
    return (np.arange(lengths.sum()) - np.repeat(starts, lengths)).astype(np.int32)
