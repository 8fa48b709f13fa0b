"""Launches the MaxSim kernel: what goes to the device, and in which tiles.

A query, its scales and the places of the chunks go over in one copy: each copy costs as
much as the products of a whole shortlist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from subprocess import CalledProcessError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pplx_local.records import TokenEncoding, TokenVectors
from pplx_local.reference import quantize_query, quantize_tokens

_LEAST_CAPABILITY = (8, 0)
_MOST_QUERY = 64
"""Rows of a query's tile; a longer query takes several."""
_MOST_DIMS = 128
_MOST_OCTETS = 32
_PROGRAMS = 8192
"""So many keep every device busy; beyond them, each takes several chunks."""
_MOST_EACH = 16


@dataclass(frozen=True, slots=True)
class Tiling:
    """How the work is cut; no result depends on it."""

    rows: int
    """Of the documents, in one tile."""
    warps: int = 4
    stages: int = 3
    """Tiles under way from memory, with the one that is computed."""


TILINGS = (Tiling(128), Tiling(64), Tiling(128, stages=2), Tiling(128, warps=8))
"""All that are ever tried."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows of C chunks on a device, as the kernel takes them."""

    codes: Tensor
    """(T, D) int8 or bfloat16, or (T, D/8) uint8 for bits."""
    scales: Tensor | None
    """(T,) float32 for int8, else None."""
    starts: Tensor
    """(C,) int64"""
    ends: Tensor
    """(C,) int64"""

    @property
    def in_bits(self) -> bool:
        """Whether the codes are packed bits."""
        return self.codes.dtype == torch.uint8


@dataclass(frozen=True, slots=True)
class Question:
    """A query on a device."""

    codes: Tensor
    """(Q, D) int8 or bfloat16; for bits in the order of `by_steps`."""
    scales: Tensor
    """(Q,) float32"""
    sums: Tensor
    """(Q,) float32, of the codes of each row."""
    dim: int


def fused_maxsim(
    query: Question,
    docs: Packed,
    *,
    want_matches: bool = False,
    tiling: Tiling | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Score chunks as `reference.maxsim` does, without leaving the device.

    Returns:
        Values (C,) float32, and matches (C, Q) int32 where they are wanted.
    """
    from pplx_local_torch.kernels import maxsim_kernel

    n_chunks, n_query = len(docs.starts), len(query.scales)
    values = torch.empty(n_chunks, device=docs.codes.device)
    shape = (n_chunks, n_query) if want_matches else (1, 1)
    matches = torch.empty(shape, dtype=torch.int32, device=docs.codes.device)
    if n_chunks:
        tiling = tiling or _tiling(len(docs.codes) / n_chunks)
        n_each = min(max(n_chunks // _PROGRAMS, 1), _MOST_EACH)
        tile_q = min(max(_power_of_2(n_query), 16), _MOST_QUERY)
        tile_d = _octets(query.dim) if docs.in_bits else _dims(query.dim)
        maxsim_kernel[(-(-n_chunks // n_each),)](
            query.codes,
            query.scales,
            query.sums,
            docs.codes,
            query.scales if docs.scales is None else docs.scales,
            docs.starts,
            docs.ends,
            values,
            matches,
            n_chunks,
            n_query,
            n_each,
            query.dim**-0.5,
            dim=query.dim,
            in_bits=docs.in_bits,
            has_scales=docs.scales is not None,
            want_matches=want_matches,
            is_held=n_query <= tile_q and query.dim <= tile_d,
            T=tiling.rows,
            Q=tile_q,
            D=tile_d,
            num_warps=tiling.warps,
            num_stages=tiling.stages,
        )
    return values, matches if want_matches else None


def ask(
    query: TokenVectors,
    encoding: TokenEncoding,
    device: torch.device,
    starts: NDArray[np.int64] | None = None,
    ends: NDArray[np.int64] | None = None,
) -> tuple[Question, Tensor, Tensor]:
    """Bring a query to the device, and the places (C,) of chunks with it.

    Returns:
        The query, and where the chunks start and end.
    """
    assert query.scales is not None, "a query is int8"
    n_query, dim = query.codes.shape
    none = np.empty(0, dtype=np.int64)
    places = [none if one is None else one for one in (starts, ends)]
    sums = query.codes.sum(axis=1, dtype=np.float32)
    rows = query.codes.view(np.int8)
    codes = by_steps(rows) if encoding == "bits" else rows
    parts = _sent([*places, query.scales, sums, codes], device)
    first, last = (one.view(torch.int64) for one in parts[:2])
    scales, summed = (one.view(torch.float32) for one in parts[2:4])
    there = parts[4].view(torch.int8).view(n_query, -1)
    return Question(there, scales, summed, dim), first, last


def _sent(parts: Sequence[NDArray[Any]], device: torch.device) -> list[Tensor]:
    """Bring the bytes of arrays to a device in one piece."""
    octets = [one.tobytes() for one in parts]
    # Each begins at a multiple of 16: the kernel reads so many at once there.
    padded = bytearray().join(one.ljust(-(-len(one) // 16) * 16) for one in octets)
    whole = torch.frombuffer(padded, dtype=torch.uint8).to(device)
    lengths = [-(-len(one) // 16) * 16 for one in octets]
    pieces = zip(torch.split(whole, lengths), octets, strict=True)
    return [piece[: len(one)] for piece, one in pieces]


def by_steps(query: NDArray[Any]) -> NDArray[Any]:
    """Order a query's codes (Q, D) as the kernel meets the bits of a row.

    Of each tile of octets it takes one bit of every octet, or several of few, in each of
    its steps. Dimensions that are missing to a whole tile are zeros.
    """
    n_query, dim = query.shape
    octets = _octets(dim)
    n_tiles = -(-dim // (8 * octets))
    n_runs = _MOST_OCTETS // octets
    whole = np.pad(query, ((0, 0), (0, n_tiles * 8 * octets - dim)))
    parts = whole.reshape(n_query, n_tiles, octets, n_runs, 8 // n_runs)
    return parts.transpose(0, 1, 4, 3, 2).reshape(n_query, -1)


@cache
def is_usable(device: torch.device, encoding: TokenEncoding, dim: int) -> bool:
    """Tell whether the kernel runs on a device, and computes there what it should.

    Compilers and drivers differ: known answers are asked for before it is trusted.
    """
    if device.type != "cuda" or (
        torch.cuda.get_device_capability(device) < _LEAST_CAPABILITY
    ):
        return False
    try:
        return _agrees(device, encoding, dim)
    except torch.OutOfMemoryError:
        raise  # which tells nothing of the kernel
    except RuntimeError:
        return False


def failures() -> tuple[type[Exception], ...]:
    """Give the errors of a kernel that cannot be compiled or launched.

    There may be no compiler for what launches it, or too little room on the chip for a
    tile.
    """
    known = (ImportError, ValueError, OSError, CalledProcessError)
    try:
        from triton.errors import TritonError
    except ImportError:
        return known
    return TritonError, *known


def _agrees(device: torch.device, encoding: TokenEncoding, dim: int) -> bool:
    """Compare with the plain path, on chunks of which some are odd."""
    from pplx_local_torch.maxsim import ResidentTokens

    random = np.random.default_rng(0)
    lengths = [3, 0, 1, 140, 64]
    rows = random.standard_normal((sum(lengths), dim), dtype=np.float32)
    starts = np.cumsum([0, *lengths]).astype(np.int32)
    positions = np.arange(len(rows), dtype=np.int32)
    docs = quantize_tokens(rows, starts, positions, encoding)
    query = quantize_query(rows[:33], positions[:33])
    both = [ResidentTokens(docs, device, fused=fused) for fused in (True, False)]
    ours, plain = (one.score_all(query, want_matches=True) for one in both)
    assert ours.matches is not None
    assert plain.matches is not None
    return (
        both[0].is_fused
        and np.allclose(ours.values, plain.values, rtol=1e-5)
        and np.array_equal(ours.matches, plain.matches)
    )


def _tiling(mean_rows: float) -> Tiling:
    """Choose tiles by the length of chunks: what is beyond their ends is lost work."""
    return TILINGS[0] if mean_rows > TILINGS[1].rows else TILINGS[1]


def _dims(dim: int) -> int:
    return min(max(_power_of_2(dim), 32), _MOST_DIMS)


def _octets(dim: int) -> int:
    return min(max(_power_of_2(-(-dim // 8)), 4), _MOST_OCTETS)


def _power_of_2(n: int) -> int:
    return 1 << max(n - 1, 0).bit_length()
