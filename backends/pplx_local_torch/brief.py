"""Short queries on a CPU: a BERT's own weights, and little around them.

A pass of ten tokens reads all weights once and computes next to nothing, so that what
transformers does around each product takes as long as the products. And a product of few
rows takes three quarters of the time when the weights come first: the library then reads
them as they lie. Together, with the starter, a pass takes half of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertLayer

from pplx_local_torch.graphs import States
from pplx_local_torch.steady import SteadyLinear

_LONGEST = 48
"""From 64 tokens on, the plain pass is as quick."""
_ROWS = 16
"""Passes have a multiple of so many rows: in float32 12 take longer than 16, and in bfloat16
each number of rows that is new takes 5 ms more, once."""


class BriefQueries:
    """Runs short windows, each alone, in whatever number of rows it has."""

    def __init__(self, body: BertModel, project: Callable[[Tensor], States]) -> None:
        """Share the weights of a loaded model, but for one copy of a quarter of them.

        `project` gives states (T, hidden) together with the token states of them.
        """
        self._embeddings, self._project = body.embeddings, project
        self._layers = [_Layer.of(layer) for layer in body.encoder.layer]

    def states(self, ids: NDArray[np.int32]) -> States | None:
        """Run a window of T tokens; None where it is too long."""
        if not 0 < len(ids) <= _LONGEST:
            return None
        rows, n_real = torch.from_numpy(ids.astype(np.int64))[None], len(ids)
        states: Tensor = self._embeddings(
            input_ids=rows,
            position_ids=torch.arange(n_real)[None],
            token_type_ids=torch.zeros_like(rows),
        )[0]
        states = F.pad(states, (0, 0, 0, -n_real % _ROWS))
        for layer in self._layers:
            states = layer.run(states, n_real)
        return self._project(states[:n_real])


class _Product(NamedTuple):
    weight: Tensor
    """(N, K)"""
    bias: Tensor
    """(N,)"""

    @classmethod
    def of(cls, linear: nn.Linear | SteadyLinear) -> Self:
        plain = linear.linear if isinstance(linear, SteadyLinear) else linear
        return cls(plain.weight, plain.bias)

    def of_rows(self, x: Tensor) -> Tensor:
        """Map (T, K) to (T, N), the weights first."""
        return torch.addmm(self.bias[:, None], self.weight, x.t()).t()


class _Layer(NamedTuple):
    n_heads: int
    qkv: _Product
    """Queries, keys and values in one."""
    attended: _Product
    wide: _Product
    narrow: _Product
    norms: tuple[nn.LayerNorm, nn.LayerNorm]

    @classmethod
    def of(cls, layer: BertLayer) -> Self:
        own, after = layer.attention.self, layer.attention.output
        parts = [_Product.of(one) for one in (own.query, own.key, own.value)]
        return cls(
            own.num_attention_heads,
            _Product(*map(torch.cat, zip(*parts, strict=True))),
            _Product.of(after.dense),
            _Product.of(layer.intermediate.dense),
            _Product.of(layer.output.dense),
            (after.LayerNorm, layer.output.LayerNorm),
        )

    def run(self, x: Tensor, n_real: int) -> Tensor:
        """Run on states (T, hidden), of which all see the first alone."""
        heads = self.qkv.of_rows(x).view(len(x), 3, self.n_heads, -1)
        query, key, value = heads.permute(1, 2, 0, 3)[:, None]  # (1, H, T, d)
        key, value = key[:, :, :n_real], value[:, :, :n_real]
        seen = F.scaled_dot_product_attention(query, key, value)[0].transpose(0, 1)
        first, second = self.norms
        x = _normed(first, x + self.attended.of_rows(seen.flatten(1)))
        wide = F.gelu(self.wide.of_rows(x))
        return _normed(second, x + self.narrow.of_rows(wide))


def _normed(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
