"""MaxSim on codes as they are stored, without padding and without unpacking them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pplx_local.backend.packed import groups, largest, rows_of
from pplx_local.records import Nearest, Scores, TokenVectors
from pplx_local_torch.fused import Packed, ask, failures, fused_maxsim, is_usable

_ROWS_AT_ONCE = 16384
"""Rows of a group: what bounds the memory of products and of unpacked bits."""
_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
"""The bits of each byte: (256, 8)."""
_HAS_INT8_PRODUCT = "AVX512" in torch.backends.cpu.get_cpu_capability()
"""Of oneDNN; elsewhere a product of int8 takes a plain loop, ten times as long as one of
floats, which is as exact: 4,096 rows of 384 by 16 take 21 ms, and 2."""


class ResidentTokens:
    """Token codes on a device; an `pplx_local.backend.Resident`."""

    def __init__(
        self, docs: TokenVectors, device: torch.device, *, fused: bool | None = None
    ) -> None:
        """Bring codes to a device.

        Args:
            docs: The chunks, int8 or bits.
            device: Where they are kept.
            fused: Whether the kernel scores them; None for wherever it can.
        """
        self._encoding = docs.encoding
        self._bits = docs.encoding == "bits"
        self._cu_seqlens = docs.cu_seqlens.astype(np.int64)
        self._codes = torch.tensor(docs.codes, device=device)
        self._scales: Tensor | None = None
        if docs.scales is not None:
            self._scales = torch.tensor(docs.scales, device=device)
        if fused is None:
            dim = docs.codes.shape[1] * (8 if self._bits else 1)
            fused = is_usable(device, docs.encoding, dim)
        self.is_fused = fused
        """Whether the kernel scores them; no more once it failed."""
        if fused:
            self._places = torch.from_numpy(self._cu_seqlens).to(device)

    def maxsim(
        self, query: TokenVectors, chunks: Sequence[int] | NDArray[np.int64]
    ) -> Scores:
        """Score the chunks at these indices."""
        wanted = np.asarray(chunks, dtype=np.int64)
        starts, ends = self._cu_seqlens[wanted], self._cu_seqlens[wanted + 1]
        found = self._launched(query, starts, ends)
        return _to_host(*found) if found else self._score(query, wanted, False)

    def score_all(self, query: TokenVectors, *, want_matches: bool = False) -> Scores:
        """Score all chunks, in order."""
        found = self._launched(query, want_matches=want_matches)
        if found:
            return _to_host(*found)
        everything = np.arange(len(self._cu_seqlens) - 1)
        return self._score(query, everything, want_matches)

    def best(self, query: TokenVectors, k: int) -> Nearest:
        """Find the k best of all chunks, the first of equals."""
        found = self._launched(query)
        if not found:
            return largest(self.score_all(query).values, k)
        chunks = _largest(found[0], min(k, len(found[0])))
        return _without_empty(chunks.cpu().numpy(), found[0][chunks].cpu().numpy())

    @torch.inference_mode()
    def _launched(
        self,
        query: TokenVectors,
        starts: NDArray[np.int64] | None = None,
        ends: NDArray[np.int64] | None = None,
        *,
        want_matches: bool = False,
    ) -> tuple[Tensor, Tensor | None] | None:
        """Score chunks by the kernel; all of them where no places are given.

        None where the plain path has to do: for a query without rows, or a kernel that
        cannot be launched.
        """
        if not (self.is_fused and len(query.codes)):
            return None
        device = self._codes.device
        question, first, last = ask(query, self._encoding, device, starts, ends)
        if starts is None:
            first, last = self._places[:-1], self._places[1:]
        docs = Packed(self._codes, self._scales, first, last)
        try:
            return fused_maxsim(question, docs, want_matches=want_matches)
        except failures():
            self.is_fused = False
            return None

    @torch.inference_mode()
    def _score(
        self, query: TokenVectors, chunks: NDArray[np.int64], want_matches: bool
    ) -> Scores:
        values = np.full(len(chunks), -np.inf, dtype=np.float32)
        matches = np.full((len(chunks), len(query.codes)), -1, dtype=np.int32)
        lengths = self._cu_seqlens[chunks + 1] - self._cu_seqlens[chunks]
        filled = np.flatnonzero(lengths)
        if not len(query.codes):  # PyTorch fails or dies of products of nothing
            values[filled], filled = 0, filled[:0]
        codes, scales = self._query(query)
        multiply = self._multiply(codes)
        for group in groups(filled, lengths, _ROWS_AT_ONCE):
            dots = multiply(self._rows(chunks[group]))  # (n, Q)
            best = self._scaled(_segment_max(dots, lengths[group]), codes, scales)
            values[group] = best.sum(dim=1).cpu().numpy()
            if want_matches:
                matches[group] = _segment_argmax(dots, lengths[group])
        return Scores(values, matches if want_matches else None)

    def _query(self, query: TokenVectors) -> tuple[Tensor, Tensor]:
        """Bring a query's codes (Q, D) and scales (Q,) to the device."""
        assert query.scales is not None, "a query is int8"
        device = self._codes.device
        return (
            torch.tensor(query.codes, device=device),
            torch.tensor(query.scales, device=device),
        )

    def _rows(self, chunks: NDArray[np.int64]) -> slice | Tensor:
        """Say which rows these chunks own."""
        rows = rows_of(self._cu_seqlens, chunks)
        return (
            rows
            if isinstance(rows, slice)
            else torch.from_numpy(rows).to(self._codes.device)
        )

    def _multiply(self, query: Tensor) -> Callable[[slice | Tensor], Tensor]:
        """Prepare to compare rows with a query's: (n, Q), ordered as similarities."""
        if (scales := self._scales) is not None:
            return lambda rows: _dots(self._codes[rows], query).mul_(
                scales[rows][:, None]
            )
        if self._codes.device.type != "cpu":
            return lambda rows: _dots(unpack(self._codes[rows], query.shape[1]), query)
        sums = _byte_sums(query)
        return lambda rows: _looked_up(self._codes[rows], sums)

    def _scaled(self, best: Tensor, query: Tensor, scales: Tensor) -> Tensor:
        """Turn the best products (C, Q) into similarities."""
        if self._bits:
            # With b in 0 and 1 for -1 and +1, the product is 2 * b * q - q.
            best = (best * 2 - query.sum(dim=1)) * query.shape[1] ** -0.5
        return best * scales


def _to_host(values: Tensor, matches: Tensor | None) -> Scores:
    found = None if matches is None else matches.cpu().numpy()
    return Scores(values.cpu().numpy(), found)


def _largest(values: Tensor, k: int) -> Tensor:
    """Find the k largest of values (C,) float32, the first of equals: their indices.

    `topk` takes any of equals: their places are made a part of what it compares.
    """
    bits = (values + 0.0).view(torch.int32)  # which makes one zero of both
    # Ordered as the floats are: those below zero lie the other way round.
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long()
    places = torch.arange(len(values), device=values.device)
    return torch.topk((ordered << 32) - places, k).indices


def _without_empty(chunks: NDArray[np.int64], values: NDArray[np.float32]) -> Nearest:
    """Leave out chunks without rows, which come last."""
    n_filled = int(np.isfinite(values).sum())
    return Nearest(chunks[:n_filled], values[:n_filled])


def _dots(rows: Tensor, query: Tensor) -> Tensor:
    """Multiply int8 rows (n, D) with int8 query rows (Q, D): exact, (n, Q) float32."""
    if _HAS_INT8_PRODUCT and rows.device.type == "cpu":
        return torch._int_mm(rows, query.T.contiguous()).float()
    return rows.float() @ query.T.float()


def _byte_sums(query: Tensor) -> Tensor:
    """Sum query rows (Q, D) over the bits of each byte at each place: (D/8 * 256, Q).

    Looked up, they save the unpacking: a third of its time, on one thread where that
    takes two. They are whole numbers, so no sum of them has an error.
    """
    n_query, dim = query.shape
    n_bytes = -(-dim // 8)
    padded = torch.nn.functional.pad(query.float(), (0, 8 * n_bytes - dim))
    bits = torch.from_numpy(_BYTE).float()
    sums = torch.einsum("vk,qbk->bvq", bits, padded.view(n_query, n_bytes, 8))
    return sums.reshape(256 * n_bytes, n_query)


def _looked_up(codes: Tensor, sums: Tensor) -> Tensor:
    """Add the sums of a query for packed rows (n, D/8): (n, Q)."""
    places = torch.arange(0, len(sums), 256, dtype=torch.int32)
    rows = codes.int().add_(places)
    return torch.nn.functional.embedding_bag(rows, sums, mode="sum")


def unpack(codes: Tensor, dim: int) -> Tensor:
    """Unpack bits (n, D/8) into 0 and 1, (n, D) int8."""
    shifts = torch.arange(7, -1, -1, device=codes.device, dtype=torch.uint8)
    return ((codes[..., None] >> shifts) & 1).to(torch.int8).flatten(1)[:, :dim]


def _segment_max(sims: Tensor, lengths: NDArray[np.int64]) -> Tensor:
    """Take the maximum over each run of rows: (C, Q)."""
    runs = torch.from_numpy(lengths).to(sims.device)
    return torch.segment_reduce(sims, "max", lengths=runs, axis=0)


def _segment_argmax(sims: Tensor, lengths: NDArray[np.int64]) -> NDArray[np.int32]:
    """Say which row of each run holds the maximum, the first of equals: (C, Q)."""
    runs = np.split(sims.cpu().numpy(), np.cumsum(lengths)[:-1])
    return np.array([run.argmax(axis=0) for run in runs], dtype=np.int32)
