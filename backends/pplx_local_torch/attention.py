"""Attention over windows that lie behind one another in a row, without padding.

transformers keeps its own model code; this is plugged in through its
`AttentionInterface`. Every token sees all tokens of its own window and no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface

from pplx_local_torch.outbox import send_there

NAME = "pplx_local_unpadded"
_TOLERANCE = 0.05
"""Of means of normal numbers, in bfloat16."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Windows behind one another in one row of T tokens."""

    lengths: tuple[int, ...]
    """Tokens of each window; equal lengths are neighbours. What is left of T belongs
    to no window: it is there so that T is a round number."""
    cu_seqlens: Tensor
    """(windows + 1,) int32, on the device."""

    @classmethod
    def of(cls, lengths: list[int], device: torch.device) -> Packing:
        """Lay windows of these lengths out."""
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return cls(tuple(lengths), send_there(starts, device))


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packing: Packing,
    scaling: float | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """Attend: query (1, H, T, d), key and value (1, H_kv, T, d) to (1, T, H, d)."""
    fused = query.is_cuda and query.dtype != torch.float32
    if fused:
        shape = query.shape[1], key.shape[1], query.shape[3]
        fused = is_usable(query.device, query.dtype, *shape)
    attend = _by_kernel if fused else _by_length
    return attend(query[0], key[0], value[0], packing, scaling)[None], None


@cache
def is_usable(
    device: torch.device, dtype: torch.dtype, n_heads: int, n_kv_heads: int, size: int
) -> bool:
    """Tell whether the kernel runs on a device, and computes there what it should.

    Not every build of torch, and not every card, has it for all sizes of a head.
    """
    lengths = [20, 3]
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(n, sum(lengths), size, generator=generator).to(device, dtype)
        for n in (n_heads, n_kv_heads, n_kv_heads)
    )
    packing = Packing.of(lengths, device)
    try:
        ours = _by_kernel(query, key, value, packing, None)
    except torch.OutOfMemoryError:
        raise  # which tells nothing of the kernel
    except (RuntimeError, ImportError, TypeError):
        return False
    plain = _by_length(query, key, value, packing, None)
    return torch.allclose(ours.float(), plain.float(), atol=_TOLERANCE)


def _by_kernel(
    query: Tensor, key: Tensor, value: Tensor, packing: Packing, scale: float | None
) -> Tensor:
    """Run one kernel over all windows: (H, T, d) to (T, H, d)."""
    # Older versions of torch have it not, or not for grouped heads.
    from torch.nn.attention.varlen import varlen_attn

    n_tokens = sum(packing.lengths)
    q, k, v = (
        x[:, :n_tokens].transpose(0, 1).contiguous() for x in (query, key, value)
    )
    longest = max(packing.lengths)
    starts = packing.cu_seqlens
    out = varlen_attn(
        q, k, v, starts, starts, longest, longest, scale=scale, enable_gqa=True
    )
    assert isinstance(out, Tensor), "nothing but the output was asked for"
    return F.pad(out, (0, 0, 0, 0, 0, query.shape[1] - n_tokens))


def _by_length(
    query: Tensor, key: Tensor, value: Tensor, packing: Packing, scale: float | None
) -> Tensor:
    """Run windows of one length together: (H, T, d) to (T, H, d).

    Raises:
        RuntimeError: It would be recorded, and with it lengths that change.
    """
    if query.is_cuda and torch.cuda.is_current_stream_capturing():
        raise RuntimeError("windows are as long as they are when this is recorded")
    n_heads, n_tokens, size = query.shape
    groups = n_heads // len(key)
    if groups > 1:  # the CPU's kernel knows no grouped heads
        key, value = (x.repeat_interleave(groups, dim=0) for x in (key, value))
    out = query.new_zeros(n_tokens, n_heads, size)
    start = 0
    for length, run in groupby(packing.lengths):
        n = len(list(run))
        rows = slice(start, start + n * length)
        q, k, v = (_split(x[:, rows], n) for x in (query, key, value))  # (n, H, L, d)
        states = F.scaled_dot_product_attention(q, k, v, scale=scale)
        out[rows] = states.transpose(1, 2).flatten(0, 1)
        start = rows.stop
    return out


def _split(x: Tensor, n: int) -> Tensor:
    """Part (H, n * L, d) into (n, H, L, d)."""
    return x.view(len(x), n, -1, x.shape[2]).transpose(0, 1)


def _no_mask(*args: Any, **options: Any) -> None:
    """Make no mask: the packing says who sees whom."""


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, _no_mask)
