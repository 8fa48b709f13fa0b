"""Where the results of each window belong, before any of them is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pplx_local.records import TokenEncoding, TokenVectors, TokenWindow
from pplx_local_torch.quantize import int8_rows, pack_bits


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the results of each window belong."""

    is_query: bool
    first_span: NDArray[np.int64]
    """(windows,) Number of each window's first pool span."""
    first_row: NDArray[np.int64]
    """(windows,) Row of each window's first token vector."""
    chunk_of_span: NDArray[np.int64]
    """(spans,)"""
    span_lengths: NDArray[np.int64]
    """(spans,) Tokens."""
    positions: NDArray[np.int32]
    """(T,)"""
    cu_seqlens: NDArray[np.int32]
    """(C + 1,)"""

    @property
    def n_chunks(self) -> int:
        """C."""
        return len(self.cu_seqlens) - 1

    @classmethod
    def of(cls, windows: Sequence[TokenWindow]) -> Layout:
        """Lay out the results of windows of one kind."""
        if len({window.kind for window in windows}) > 1:
            raise ValueError("queries and documents are encoded in calls of their own")
        n_spans = [len(window.pool_spans) for window in windows]
        n_kept = [int(window.keep.sum()) for window in windows]
        starts_chunk = [
            at > 0 or not window.continues
            for window in windows
            for at in range(len(window.pool_spans))
        ]
        spans = [(window, *span) for window in windows for span in window.pool_spans]
        chunk_of_span = np.cumsum(starts_chunk, dtype=np.int64) - 1
        n_chunks = int(chunk_of_span[-1]) + 1 if spans else 0
        kept = [int(window.keep[start:end].sum()) for window, start, end in spans]
        rows = np.bincount(chunk_of_span, kept, minlength=n_chunks)
        return cls(
            is_query=any(window.kind == "query" for window in windows),
            first_span=_starts(n_spans)[:-1],
            first_row=_starts(n_kept)[:-1],
            chunk_of_span=chunk_of_span,
            span_lengths=np.array([end - start for _, start, end in spans], np.int64),
            positions=np.concatenate(
                [np.empty(0, np.int32), *(w.positions[w.keep] for w in windows)]
            ),
            cu_seqlens=_starts(rows).astype(np.int32),
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Token vectors on the host, filled batch by batch."""

    codes: NDArray[np.int8] | NDArray[np.uint8]
    """(T, D) int8, or (T, D/8) bits."""
    scales: NDArray[np.float32] | None
    """(T,); None for bits."""

    def put(self, at: NDArray[np.int64], x: Tensor) -> None:
        """Quantise token vectors (k, D), of unit length and centred."""
        if self.scales is None:
            self.codes[at] = pack_bits(x >= 0)
        else:
            self.codes[at], self.scales[at] = int8_rows(x)

    def packed(self, layout: Layout) -> TokenVectors:
        """Hand the rows over, with the chunks that they belong to."""
        encoding: TokenEncoding = "bits" if self.scales is None else "int8"
        return TokenVectors(
            encoding, self.codes, self.scales, layout.positions, layout.cu_seqlens
        )


def _starts(lengths: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    """Where runs of these lengths begin, and the end of the last."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
