"""The vectors of one call, put in their places batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np

from pplx_local.backend.layout import Layout, kept_rows
from pplx_local.backend.token_rows import TokenRows
from pplx_local.records import (
    DenseVectors,
    Encoded,
    EncodingRecipe,
    TokenWindow,
)
from pplx_local_mlx.quantize import (
    int8_rows,
    pack_bits,
    quantize_dense,
    to_host,
    unit_rows,
)


class Results:
    """Sums of pool spans on the device, codes of token vectors on the host."""

    def __init__(
        self,
        windows: Sequence[TokenWindow],
        recipe: EncodingRecipe,
        dims: tuple[int, int],
    ) -> None:
        """Make room; `dims` are those of the dense and of the token vectors."""
        self._dim, token_dim = dims
        self._windows, self._recipe = windows, recipe
        self._layout = layout = Layout.of(windows, recipe.token_pooling)
        self._sums = [mx.zeros((0, self._dim))]
        self._spans: list[int] = []
        self._rows = TokenRows(windows, layout, recipe, token_dim)

    def put(
        self, batch: Sequence[int], states: mx.array, token_states: mx.array
    ) -> None:
        """Take the states of windows of one padded length L.

        Args:
            batch: The numbers of the windows, in order.
            states: (B, L, dim)
            token_states: (B, L, token_dim)
        """
        if self._recipe.dense:
            self._pool(batch, states)
        if self._recipe.late:
            self._keep(batch, token_states)

    def encoded(self) -> Encoded:
        """Hand the vectors over, once all windows were put."""
        dense = self._dense() if self._recipe.dense else None
        return Encoded(dense, self._rows.vectors() if self._recipe.late else None)

    def _pool(self, batch: Sequence[int], states: mx.array) -> None:
        """Add up each pool span in float32."""
        sums = []
        for index, rows in zip(batch, states, strict=True):
            spans = self._windows[index].pool_spans
            first = int(self._layout.first_span[index])
            self._spans += range(first, first + len(spans))
            sums += [
                rows[start:end].astype(mx.float32).sum(axis=0) for start, end in spans
            ]
        if sums:
            self._sums.append(mx.stack(sums))
            mx.eval(self._sums[-1])

    def _keep(self, batch: Sequence[int], states: mx.array) -> None:
        """Quantise the kept states into their rows."""
        starts = np.arange(len(batch)) * states.shape[1]
        rows = kept_rows(self._windows, batch, starts)
        if not len(rows):
            return
        x = mx.flatten(states, 0, 1)[mx.array(rows)].astype(mx.float32)  # (k, D)
        if self._rows.is_pooled:
            self._rows.pool(batch, to_host(unit_rows(x)))
        elif self._rows.is_bits:
            self._rows.put(batch, pack_bits(x >= 0))
        else:
            self._rows.put(batch, *int8_rows(unit_rows(x)))

    def _dense(self) -> DenseVectors:
        """Average the spans of each chunk, pieces weighed by their tokens."""
        layout = self._layout
        in_order = mx.array(np.argsort(self._spans))
        x = mx.concatenate(self._sums)[in_order]  # (spans, D)
        if layout.n_chunks < len(x):  # some chunk is in pieces
            at = mx.array(layout.chunk_of_span)
            x = mx.zeros((layout.n_chunks, self._dim)).at[at].add(x)
        x = x / mx.array(layout.chunk_tokens)[:, None]
        return quantize_dense(x, self._recipe.quantizer, self._recipe.bits_rule)
