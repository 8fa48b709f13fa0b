"""The same bits in any batch, on CPU.

A matrix product sums long rows in blocks, and the library that runs it chooses the
blocks by the number of rows: a window alone may so differ in the last bit from the same
window in a batch. From some number of rows on, the choice no longer changes. Each layer
is asked for that number when it is loaded, and given so many rows at least.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROW_MULTIPLE = 32
"""Windows are padded to this, so the rows of a batch are a multiple of it too."""

_MANY_ROWS = (4096, 2048)
_MOST_ROWS = 1024


class SteadyLinear(nn.Module):
    """A linear layer that is never given fewer rows than it needs to be steady."""

    def __init__(self, linear: nn.Linear, min_rows: int) -> None:
        super().__init__()
        self.linear, self.min_rows = linear, min_rows

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., K) to (..., N)."""
        flat = x.reshape(-1, x.shape[-1])  # (M, K)
        missing = self.min_rows - len(flat)
        if missing <= 0:
            return self.linear(x)
        padded = F.pad(flat, (0, 0, 0, missing))
        return self.linear(padded)[: len(flat)].view(*x.shape[:-1], -1)


def make_steady(model: nn.Module) -> nn.Module:
    """Replace those linear layers whose rounding depends on the number of rows."""
    min_rows: dict[tuple[int, int, bool], int] = {}
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear):
            shape = (layer.in_features, layer.out_features, layer.bias is None)
            if shape not in min_rows:
                min_rows[shape] = steady_rows(layer)
            if min_rows[shape] > ROW_MULTIPLE:
                model.set_submodule(name, SteadyLinear(layer, min_rows[shape]))
    return model


@torch.inference_mode()
def steady_rows(layer: nn.Linear) -> int:
    """Find the number of rows from which on a layer gives every row the same bits."""
    generator = torch.Generator().manual_seed(0)
    few = torch.randn(ROW_MULTIPLE, layer.in_features, generator=generator)
    few = few.to(layer.weight.dtype)
    expected = layer(few.repeat(_MANY_ROWS[0] // ROW_MULTIPLE, 1))[:ROW_MULTIPLE]
    steady = _MANY_ROWS[0]
    for rows in (*_MANY_ROWS[1:], *range(_MOST_ROWS, 0, -ROW_MULTIPLE)):
        got = layer(few.repeat(rows // ROW_MULTIPLE, 1))
        if not torch.equal(
            got.view(-1, *expected.shape), expected.expand(rows // ROW_MULTIPLE, -1, -1)
        ):
            break
        steady = rows
    return steady
