"""Where the results of each window belong, before any of them is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pplx_local.backend.pooling import n_pooled
from pplx_local.records import TokenWindow


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
    pooling: int
    """How many tokens of a span share a token vector; 1 for none."""
    cu_seqlens: NDArray[np.int32]
    """(C + 1,)"""

    @property
    def n_chunks(self) -> int:
        """C."""
        return len(self.chunk_tokens)

    @classmethod
    def of(cls, windows: Sequence[TokenWindow], pooling: int = 1) -> Layout:
        """Lay out the results of windows of one kind; a query's are never pooled."""
        kinds = {window.kind for window in windows}
        if len(kinds) > 1:
            raise ValueError("queries and documents are encoded in calls of their own")
        is_query = "query" in kinds
        pooling = 1 if is_query else pooling
        chunk_of_span = _chunks_of_spans(windows)
        n_chunks = int(chunk_of_span.max(initial=-1)) + 1
        spans = [(window, *span) for window in windows for span in window.pool_spans]
        lengths = [end - start for _, start, end in spans]
        n_rows = [
            n_pooled(int(window.keep[start:end].sum()), pooling)
            for window, start, end in spans
        ]
        rows = np.bincount(chunk_of_span, n_rows, minlength=n_chunks)
        tokens = np.bincount(chunk_of_span, lengths, minlength=n_chunks)
        first_span = _starts([len(window.pool_spans) for window in windows])
        return cls(
            is_query=is_query,
            first_span=first_span[:-1],
            first_row=_starts(n_rows)[first_span[:-1]],
            chunk_of_span=chunk_of_span,
            chunk_tokens=tokens.astype(np.float32),
            pooling=pooling,
            cu_seqlens=_starts(rows).astype(np.int32),
        )


def kept_rows(
    windows: Sequence[TokenWindow],
    batch: Sequence[int],
    starts: Sequence[int] | NDArray[np.int64],
) -> NDArray[np.int64]:
    """Say which states of a batch become token vectors.

    Args:
        windows: All windows.
        batch: The numbers of those in the batch.
        starts: Where the states of each of these begin in the batch.
    """
    kept = [np.flatnonzero(windows[index].keep) for index in batch]
    rows = [start + own for start, own in zip(starts, kept, strict=True)]
    return np.concatenate([np.empty(0, np.int64), *rows])


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
