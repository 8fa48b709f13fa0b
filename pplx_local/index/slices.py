"""Packed vectors cut back into those of each window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pplx_local.records import DenseVectors, TokenVectors


def slice_encoded(
    vectors: DenseVectors | TokenVectors, counts: Sequence[int]
) -> Iterator[DenseVectors | TokenVectors]:
    """Cut vectors of C chunks into consecutive parts of `counts` chunks."""
    start = 0
    for count in counts:
        if isinstance(vectors, DenseVectors):
            yield slice_dense(vectors, start, start + count)
        else:
            yield slice_tokens(vectors, start, start + count)
        start += count


def slice_dense(vectors: DenseVectors, start: int, end: int) -> DenseVectors:
    """Take chunks start:end."""
    return DenseVectors(vectors.codes[start:end], vectors.bits[start:end])


def slice_tokens(vectors: TokenVectors, start: int, end: int) -> TokenVectors:
    """Take chunks start:end, with offsets from 0."""
    first, last = vectors.cu_seqlens[start], vectors.cu_seqlens[end]
    return TokenVectors(
        encoding=vectors.encoding,
        codes=vectors.codes[first:last],
        scales=None if vectors.scales is None else vectors.scales[first:last],
        positions=vectors.positions[first:last],
        cu_seqlens=vectors.cu_seqlens[start : end + 1] - first,
    )
