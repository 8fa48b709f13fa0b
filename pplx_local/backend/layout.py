"""Where the results of each window belong, before any of them is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import EncodingRecipe, TokenVectors, TokenWindow


@dataclass(frozen=True, slots=True)
class Layout:
    """Windows numbered through, with their pool spans, chunks and kept rows."""

    is_query: bool
    first_span: NDArray[np.int64]
    """(windows,) Number of each window's first pool span."""
    first_row: NDArray[np.int64]
    """(windows,) Row of each window's first token vector."""
    chunk_of_span: NDArray[np.int64]
    """(spans,)"""
    chunk_tokens: NDArray[np.float32]
    """(C,) Tokens that each chunk's dense vector averages."""
    positions: NDArray[np.int32]
    """(T,)"""
    cu_seqlens: NDArray[np.int32]
    """(C + 1,)"""

    @property
    def n_chunks(self) -> int:
        """C."""
        return len(self.chunk_tokens)

    @classmethod
    def of(cls, windows: Sequence[TokenWindow]) -> Layout:
        """Lay out the results of windows of one kind."""
        if len({window.kind for window in windows}) > 1:
            raise ValueError("queries and documents are encoded in calls of their own")
        spans = [(window, *span) for window in windows for span in window.pool_spans]
        chunk_of_span = _chunks_of_spans(windows)
        n_chunks = int(chunk_of_span[-1]) + 1 if spans else 0
        lengths = [end - start for _, start, end in spans]
        kept = [int(window.keep[start:end].sum()) for window, start, end in spans]
        rows = np.bincount(chunk_of_span, kept, minlength=n_chunks)
        tokens = np.bincount(chunk_of_span, lengths, minlength=n_chunks)
        positions = [window.positions[window.keep] for window in windows]
        return cls(
            is_query=any(window.kind == "query" for window in windows),
            first_span=_starts([len(window.pool_spans) for window in windows])[:-1],
            first_row=_starts([int(window.keep.sum()) for window in windows])[:-1],
            chunk_of_span=chunk_of_span,
            chunk_tokens=tokens.astype(np.float32),
            positions=np.concatenate([np.empty(0, np.int32), *positions]),
            cu_seqlens=_starts(rows).astype(np.int32),
        )


def kept_rows(
    layout: Layout,
    windows: Sequence[TokenWindow],
    batch: Sequence[int],
    starts: Sequence[int] | NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Say which states of a batch become token vectors, and which ones.

    Args:
        layout: Of all windows.
        windows: All windows.
        batch: The numbers of those in the batch.
        starts: Where the states of each of these begin in the batch.

    Returns:
        Rows of the batch, and the rows of the token vectors that they go to.
    """
    kept = [np.flatnonzero(windows[index].keep) for index in batch]
    sources = [start + rows for start, rows in zip(starts, kept, strict=True)]
    targets = [
        layout.first_row[index] + np.arange(len(rows))
        for index, rows in zip(batch, kept, strict=True)
    ]
    return np.concatenate(sources), np.concatenate(targets)


class TokenRows:
    """Codes of the token vectors of one call, on the host, filled batch by batch."""

    def __init__(self, layout: Layout, recipe: EncodingRecipe, dim: int) -> None:
        """Make room for vectors of `dim` dimensions."""
        self._layout = layout
        self.is_bits = recipe.token_encoding == "bits" and not layout.is_query
        shape, dtype = ((dim // 8,), np.uint8) if self.is_bits else ((dim,), np.int8)
        n_rows = len(layout.positions) if recipe.late else 0
        self._codes: NDArray[Any] = np.empty((n_rows, *shape), dtype=dtype)
        self._scales = np.empty(0 if self.is_bits else n_rows, dtype=np.float32)

    def put(
        self,
        rows: NDArray[np.int64],
        codes: NDArray[Any],
        scales: NDArray[np.float32] | None = None,
    ) -> None:
        """Fill rows with codes, and with scales where they are int8."""
        self._codes[rows] = codes
        if scales is not None:
            self._scales[rows] = scales

    def vectors(self) -> TokenVectors:
        """Hand them over, once all rows are filled."""
        return TokenVectors(
            "bits" if self.is_bits else "int8",
            self._codes,
            None if self.is_bits else self._scales,
            self._layout.positions,
            self._layout.cu_seqlens,
        )


def _chunks_of_spans(windows: Sequence[TokenWindow]) -> NDArray[np.int64]:
    """Number the chunks; the first span of a window may belong to the last chunk."""
    begins_chunk = [
        at > 0 or not window.continues
        for window in windows
        for at in range(len(window.pool_spans))
    ]
    return np.cumsum(begins_chunk, dtype=np.int64) - 1


def _starts(lengths: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    """Where runs of these lengths begin, and the end of the last."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
