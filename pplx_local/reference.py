"""The definition of right, in numpy: what every backend has to equal.

Slow where it must be, bounded in memory, and used for real when no encoder worker is
there to score a shortlist.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import (
    BitsRule,
    DenseVectors,
    Quantizer,
    Scores,
    TokenEncoding,
    TokenVectors,
)

THRESHOLD = 0.6745
"""Of a normal distribution, half lies within this many standard deviations: with
thresholds at -THRESHOLD, 0 and THRESHOLD the four levels are equally likely."""

MEAN_LEVELS = 3
"""Bits per dimension of a mean of token vectors, which have few dimensions."""

_ROWS_AT_ONCE = 16_384


def pool(hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average token states (T, D) into one vector (D,)."""
    mean: NDArray[np.float32] = hidden.astype(np.float32).mean(axis=0)
    return mean


def quantize_dense(
    x: NDArray[np.float32], quantizer: Quantizer, bits_rule: BitsRule
) -> DenseVectors:
    """Quantise pooled vectors (C, D).

    `tanh` is the pplx-embed family's own rule (model card); `max_abs` is for unit
    vectors, whose small coordinates tanh would crush: recall of the float top 100 is
    0.996 against 0.98.
    """
    return DenseVectors(_codes(x, quantizer), pack_bits(x, bits_rule))


def _codes(x: NDArray[np.float32], quantizer: Quantizer) -> NDArray[np.int8]:
    if quantizer == "tanh":
        levels = np.tanh(x) * 127
    else:
        largest = np.abs(x).max(axis=-1, keepdims=True)  # (C, 1)
        levels = x * (127 / np.maximum(largest, np.float32(1e-30)))
    return np.clip(np.rint(levels), -128, 127).astype(np.int8)


def mean_vectors(tokens: TokenVectors) -> DenseVectors:
    """Average each chunk's token vectors, for a shortlist where there is no other.

    A chunk without rows gets zeros.
    """
    n_chunks = len(tokens.cu_seqlens) - 1
    owners = np.repeat(np.arange(n_chunks), np.diff(tokens.cu_seqlens))
    rows = token_rows(tokens)
    sums = np.zeros((n_chunks, rows.shape[1]), dtype=np.float32)
    np.add.at(sums, owners, rows)
    # Neither codes nor bits hang on the length: a sum is as good as a mean.
    return quantize_dense(sums, "max_abs", "three_thresholds")


def token_rows(tokens: TokenVectors) -> NDArray[np.float32]:
    """Give what token vectors stand for, of any length: (T, D)."""
    if tokens.scales is None:
        signs = np.unpackbits(tokens.codes.view(np.uint8), axis=1)
        return signs.astype(np.float32) * 2 - 1
    return tokens.codes.astype(np.float32) * tokens.scales[:, None]


def pack_bits(x: NDArray[np.float32], rule: BitsRule) -> NDArray[np.uint8]:
    """Pack the signs of (C, D), most significant bit first.

    `sign` gives (C, D/8). `three_thresholds` gives (C, 3D/8), three bits for each
    dimension in turn: a thermometer code whose Hamming distance is the difference in
    levels, for spaces of few dimensions.
    """
    if rule == "sign":
        return np.packbits(x >= 0, axis=-1)
    mean_square = np.mean(x * x, axis=-1, keepdims=True, dtype=np.float64)
    scale = np.sqrt(mean_square).astype(np.float32) * np.float32(THRESHOLD)
    levels = np.stack([x >= -scale, x >= 0, x >= scale], axis=-1)  # (C, D, 3)
    return np.packbits(levels.reshape(len(x), -1), axis=-1)


def quantize_tokens(
    x: NDArray[np.float32],
    cu_seqlens: NDArray[np.int32],
    positions: NDArray[np.int32],
    encoding: TokenEncoding,
) -> TokenVectors:
    """Quantise token states (T, D), of any length, into the vectors of documents."""
    codes, scales = token_codes(x, encoding)
    return TokenVectors(encoding, codes, scales, positions, cu_seqlens)


def token_codes(
    x: NDArray[np.float32], encoding: TokenEncoding
) -> tuple[NDArray[np.int8] | NDArray[np.uint8], NDArray[np.float32] | None]:
    """Quantise token states (T, D) to codes, with scales (T,) where they are int8."""
    if encoding == "bits":
        return np.packbits(x >= 0, axis=-1), None
    return int8_rows(unit_rows(x))


def quantize_query(
    x: NDArray[np.float32], positions: NDArray[np.int32]
) -> TokenVectors:
    """Quantise a query's token states (Q, D): always int8."""
    codes, scales = int8_rows(unit_rows(x))
    cu_seqlens = np.array([0, len(x)], dtype=np.int32)
    return TokenVectors("int8", codes, scales, positions, cu_seqlens)


def unit_rows(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring rows (T, D) to unit length."""
    # Summed in float64, so that the order in which a backend sums does not show.
    norms = np.linalg.norm(x.astype(np.float64), axis=-1, keepdims=True)
    norms = norms.astype(np.float32)
    unit: NDArray[np.float32] = x / np.maximum(norms, np.float32(1e-12))
    return unit


def int8_rows(
    x: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise rows (T, D) to int8 codes with a scale (T,) each."""
    largest = np.abs(x).max(axis=-1, initial=0)
    scales = (np.maximum(largest, 1e-12) / 127).astype(np.float32)
    codes = np.rint(x / scales[:, None]).astype(np.int8)
    return codes, scales


def maxsim(
    query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
) -> Scores:
    """Sum, over the query's tokens, the best similarity among each chunk's tokens.

    Args:
        query: int8, one chunk of Q rows.
        docs: C chunks, int8 or bits.
        want_matches: Also return the row of each best similarity.

    Nothing is padded, so an all-negative chunk keeps its negative score; a chunk
    without rows scores -inf.
    """
    n_chunks, n_query = len(docs.cu_seqlens) - 1, len(query.codes)
    values = np.full(n_chunks, -np.inf, dtype=np.float32)
    matches = np.full((n_chunks, n_query), -1, dtype=np.int32)
    for first, last in _groups(docs.cu_seqlens):
        sims = similarities(query, docs, docs.cu_seqlens[first], docs.cu_seqlens[last])
        starts = docs.cu_seqlens[first : last + 1] - docs.cu_seqlens[first]
        for chunk in range(first, last):
            own = sims[:, starts[chunk - first] : starts[chunk - first + 1]]  # (Q, n)
            if own.shape[1]:
                values[chunk] = own.max(axis=1).sum(dtype=np.float32)
                if want_matches:
                    matches[chunk] = own.argmax(axis=1)
    return Scores(values, matches if want_matches else None)


def _groups(cu_seqlens: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Cut chunks into runs of at most `_ROWS_AT_ONCE` rows (or one chunk)."""
    groups, first, n_chunks = [], 0, len(cu_seqlens) - 1
    while first < n_chunks:
        limit = cu_seqlens[first] + _ROWS_AT_ONCE
        last = max(first + 1, int(np.searchsorted(cu_seqlens, limit, "right")) - 1)
        groups.append((first, last))
        first = last
    return groups


def similarities(
    query: TokenVectors, docs: TokenVectors, start: int, end: int
) -> NDArray[np.float32]:
    """Compare the query's rows with the documents' rows start:end.

    Returns:
        (Q, end - start) float32.
    """
    assert query.scales is not None, "a query is int8"
    dim = query.codes.shape[1]
    if docs.encoding == "bits":
        signs = np.unpackbits(docs.codes[start:end].view(np.uint8), axis=1, count=dim)
        rows = signs.astype(np.float32) * 2 - 1  # (n, D)
        row_scales = np.full(len(rows), 1 / np.sqrt(dim), dtype=np.float32)
    else:
        assert docs.scales is not None, "int8 has scales"
        rows = docs.codes[start:end].astype(np.float32)
        row_scales = docs.scales[start:end]
    # Codes are small integers, so float32 sums them without an error.
    dots = query.codes.astype(np.float32) @ rows.T  # (Q, n)
    sims: NDArray[np.float32] = dots * query.scales[:, None] * row_scales[None, :]
    return sims
