"""MaxSim as one Triton kernel: products never leave the chip, and nothing is padded.

A program takes chunk after chunk, and of a chunk tile after tile of its rows. Products
of int8 are exact, maxima are too, and sums over a query's tokens are taken in float64:
how the work is cut never shows in the result.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# What Triton compiles are tensors all, and on the fly.

from __future__ import annotations

import os

import triton
import triton.language as tl

BITS_AT_ONCE = tl.constexpr(32)
"""What the matrix units take of int8 in one step, and so bits of a row in one product."""
INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")
_LEAST = tl.constexpr(-(2**31))


@triton.jit
def _query_tile(
    query,
    first,
    first_dim,
    n_query,
    width: tl.constexpr,
    Q: tl.constexpr,
    D: tl.constexpr,
):
    """Load a tile of the query's rows, turned: (D, Q); zeros beyond its ends."""
    rows, dims = first + tl.arange(0, Q), first_dim + tl.arange(0, D)
    at = query + rows[None, :] * width + dims[:, None]
    return tl.load(at, (rows < n_query)[None, :] & (dims < width)[:, None], 0)


@triton.jit
def _rows_tile(codes, rows, dims, end, width: tl.constexpr, is_whole: tl.constexpr):
    """Load a tile of the documents' rows (T, D); zeros beyond its ends."""
    inside = (rows < end)[:, None]
    if not is_whole:
        inside = inside & (dims < width)[None, :]
    return tl.load(codes + rows[:, None] * width + dims[None, :], inside, 0)


@triton.jit
def _lowest_bits(octets, by):
    """Shift octets (T, K) to the right by (1, K), alike for four neighbours: 0 or 1."""
    if INTERPRETED:
        bits = ((octets >> by.to(tl.uint8)) & 1).to(tl.int8)
    else:
        # Four at once: one by one they take four times the time of the products.
        bits = tl.inline_asm_elementwise(
            "shr.b32 $0, $1, $2; and.b32 $0, $0, 0x01010101;",
            "=r,r,r,r,r,r",
            [octets, tl.broadcast_to(by, octets.shape)],
            dtype=tl.int8,
            is_pure=True,
            pack=4,
        )
    return bits


@triton.jit
def _add_products(products, tile, part):
    """Add a tile's products (T, D) by (D, Q) to those (T, Q) of other dimensions."""
    if INTERPRETED and part.dtype == tl.bfloat16:
        # The interpreter would multiply the patterns of their bits.
        tile, part = tile.to(tl.float32), part.to(tl.float32)
    return tl.dot(tile.to(part.dtype), part, products, out_dtype=products.dtype)


@triton.jit
def _products(
    codes, rows, end, query, held, first, n_query,
    dim: tl.constexpr, is_held: tl.constexpr,
    T: tl.constexpr, Q: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """Multiply a tile of rows with a tile of the query: (T, Q)."""
    kind: tl.constexpr = tl.int32 if held.dtype == tl.int8 else tl.float32
    products = tl.zeros((T, Q), kind)
    for first_dim in tl.range(0, dim, D):
        dims = first_dim + tl.arange(0, D)
        tile = _rows_tile(codes, rows, dims, end, dim, dim % D == 0)
        part = held
        if not is_held:
            part = _query_tile(query, first, first_dim, n_query, dim, Q, D)
        products = _add_products(products, tile, part)
    return products


@triton.jit
def _bit_products(
    codes, rows, end, query, held, first, n_query,
    dim: tl.constexpr, B: tl.constexpr, T: tl.constexpr, Q: tl.constexpr,
):  # fmt: skip
    """Multiply a tile of packed rows with a tile of the query: (T, Q).

    Bits are numbers of a register, four to each, and stay where they lie: a step takes
    some bits of each octet, and finds the query's codes in the order of `by_steps`.
    """
    kind: tl.constexpr = tl.int32 if held.dtype == tl.int8 else tl.float32
    width: tl.constexpr = (dim + 7) // 8
    steps: tl.constexpr = 8 * B // BITS_AT_ONCE
    places = tl.arange(0, BITS_AT_ONCE)
    whole_width: tl.constexpr = (width + B - 1) // B * B * 8
    products = tl.zeros((T, Q), kind)
    for first_octet in tl.range(0, width, B):
        octets = first_octet + places % B
        tile = _rows_tile(codes, rows, octets, end, width, width % B == 0)
        for step in tl.static_range(steps):
            bits = _lowest_bits(tile, (7 - step - places // B * steps)[None, :])
            at = first_octet * 8 + step * BITS_AT_ONCE
            part = _query_tile(query, first, at, n_query, whole_width, Q, BITS_AT_ONCE)
            products = _add_products(products, bits, part)
    return products


@triton.jit(do_not_specialize=["n_chunks", "n_query", "n_each"])
def maxsim_kernel(
    query,  # (Q, D) int8 or bfloat16; for bits as `by_steps` gives it
    query_scales,  # (Q,) float32
    query_sums,  # (Q,) float32, of its rows' codes; read for bits alone
    codes,  # (T, D) int8 or bfloat16, or (T, D/8) uint8
    scales,  # (T,) float32; read for int8 alone
    starts,  # (C,) int64: the first row of each chunk
    ends,  # (C,) int64: the row behind its last
    values,  # (C,) float32, to be filled
    matches,  # (C, Q) int32, to be filled where wanted
    n_chunks,
    n_query,
    n_each,  # chunks of one program
    bits_scale,  # 1 / sqrt(D)
    dim: tl.constexpr,
    in_bits: tl.constexpr,
    has_scales: tl.constexpr,
    want_matches: tl.constexpr,
    is_held: tl.constexpr,  # whether one tile holds all of the query
    T: tl.constexpr,
    Q: tl.constexpr,
    D: tl.constexpr,  # for bits the octets of a tile
):
    """Score chunks: the sum over the query's tokens of the best similarity."""
    held = _query_tile(query, 0, 0, n_query, dim, Q, D)
    first_chunk = tl.program_id(0) * n_each
    for chunk in tl.range(first_chunk, tl.minimum(first_chunk + n_each, n_chunks)):
        start, end = tl.load(starts + chunk), tl.load(ends + chunk)
        total = tl.zeros((), tl.float64)
        for first_query in tl.range(0, n_query, Q):
            best = tl.full((Q,), float("-inf"), tl.float32)
            where = tl.full((Q,), -1, tl.int32)
            for first in tl.range(start, end, T):
                rows = first + tl.arange(0, T).to(tl.int64)
                if in_bits:
                    found = _bit_products(
                        codes, rows, end, query, held, first_query, n_query,
                        dim, D, T, Q,
                    )  # fmt: skip
                else:
                    found = _products(
                        codes, rows, end, query, held, first_query, n_query,
                        dim, is_held, T, Q, D,
                    )  # fmt: skip
                if has_scales:
                    found = found * tl.load(scales + rows, rows < end, 0)[:, None]
                # Not zero: that would beat similarities below it. As numbers of the
                # products, for few of them have to become floats.
                least = _LEAST if found.dtype == tl.int32 else float("-inf")
                found = tl.where((rows < end)[:, None], found, least)
                if want_matches:
                    top, at = tl.max(found, 0, return_indices=True)  # first of equals
                    at += (first - start).to(tl.int32)
                    where = tl.where(top.to(tl.float32) > best, at, where)
                else:
                    top = tl.max(found, 0)
                best = tl.maximum(best, top.to(tl.float32))
            tokens = first_query + tl.arange(0, Q)
            real = tokens < n_query
            if in_bits:
                # With b in 0 and 1 for -1 and +1, the product is 2 * b * q - q.
                sums = tl.load(query_sums + tokens, real, 0)
                best = (best * 2 - sums) * bits_scale
            best *= tl.load(query_scales + tokens, real, 1)
            total += tl.sum(tl.where(real, best, 0).to(tl.float64))
            if want_matches:
                place = tl.full((Q,), chunk, tl.int64) * n_query + tokens
                tl.store(matches + place, where, real)
        none = float("-inf")
        tl.store(values + chunk, tl.where(end > start, total, none).to(tl.float32))
