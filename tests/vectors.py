"""Random token vectors, packed as backends take them."""

from __future__ import annotations

import numpy as np

from pplx_local import reference
from pplx_local.records import TokenEncoding, TokenVectors


def random_docs(
    rng: np.random.Generator, lengths: list[int], dim: int, encoding: TokenEncoding
) -> TokenVectors:
    """Make chunks of so many tokens each."""
    rows = rng.standard_normal((sum(lengths), dim)).astype(np.float32)
    cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
    positions = np.arange(len(rows), dtype=np.int32)
    return reference.quantize_tokens(rows, cu_seqlens, positions, encoding)


def random_query(rng: np.random.Generator, n: int, dim: int) -> TokenVectors:
    """Make a query of n tokens."""
    rows = rng.standard_normal((n, dim)).astype(np.float32)
    return reference.quantize_query(rows, np.arange(n, dtype=np.int32))
