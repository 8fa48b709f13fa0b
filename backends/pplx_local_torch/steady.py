"""The same bits in any batch, on CPU.

A matrix product sums long rows in blocks, and the library that runs it chooses the
blocks by the number of rows: a window alone may so differ in the last bit from the same
window in a batch. From some number of rows on, the choice no longer changes. Each layer
is asked for that number when it is loaded, and given so many rows at least.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROW_MULTIPLE = 32
"""Windows are padded to this, so the rows of a batch are a multiple of it too."""

_MANY_ROWS = 2048
"""Surely enough."""
_MOST_ROWS = 1024
"""From here down, every number of rows is tried."""


class Steadiness:
    """Whether layers are given more rows than they ask for.

    A query needs none: it is always alone, and so always the same.
    """

    on = True
    rows = 0
    """What the neediest layer wants."""


class SteadyLinear(nn.Module):
    """A linear layer that is never given fewer rows than it needs to be steady."""

    def __init__(
        self, linear: nn.Linear, min_rows: int, steadiness: Steadiness
    ) -> None:
        super().__init__()
        self.linear, self.min_rows = linear, min_rows
        self._steadiness = steadiness

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., K) to (..., N)."""
        flat = x.reshape(-1, x.shape[-1])  # (M, K)
        missing = self.min_rows - len(flat)
        if missing <= 0 or not self._steadiness.on:
            return self.linear(x)
        padded = F.pad(flat, (0, 0, 0, missing))
        return self.linear(padded)[: len(flat)].view(*x.shape[:-1], -1)


def make_steady(model: nn.Module) -> Steadiness:
    """Replace those linear layers whose rounding depends on the number of rows."""
    steadiness = Steadiness()
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear):
            rows = steady_rows(*layer.weight.shape, layer.weight.dtype)
            if rows > ROW_MULTIPLE:
                model.set_submodule(name, SteadyLinear(layer, rows, steadiness))
                steadiness.rows = max(steadiness.rows, rows)
    return steadiness


@cache
def steady_rows(n_out: int, n_in: int, dtype: torch.dtype) -> int:
    """Find the number of rows from which on a product gives every row the same bits.

    Rows whose halves cancel leave nothing but what rounding left, in every number:
    with ordinary rows only a few of them would show another order of summing.
    """
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(n_in // 2 * 2, generator=generator)
    half = torch.randn(_MANY_ROWS, n_in // 2, generator=generator)
    rows = torch.cat([half, -half], dim=1)[:, order]  # (M, K)
    half = torch.randn(n_out, n_in // 2, generator=generator)
    weight = torch.cat([half, half], dim=1)[:, order]  # (N, K)
    return _steady_rows(rows.to(dtype), weight.to(dtype))


@torch.inference_mode()
def _steady_rows(rows: Tensor, weight: Tensor) -> int:
    bias = weight.new_zeros(len(weight))
    expected = F.linear(rows, weight, bias)
    steady = len(rows)
    for fewer in range(_MOST_ROWS, 0, -ROW_MULTIPLE):
        if not torch.equal(F.linear(rows[:fewer], weight, bias), expected[:fewer]):
            break
        steady = fewer
    return steady
