"""The vectors of one call, put in their places batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from pplx_local.backend.layout import Layout
from pplx_local.records import (
    DenseVectors,
    Encoded,
    EncodingRecipe,
    TokenEncoding,
    TokenVectors,
    TokenWindow,
)
from pplx_local_mlx.quantize import centred, int8_rows, pack_bits, quantize_dense


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
        self._layout = layout = Layout.of(windows)
        self._sums = [mx.zeros((0, self._dim))]
        self._spans: list[int] = []
        as_int8 = layout.is_query or recipe.token_encoding == "int8"
        self._encoding: TokenEncoding = "int8" if as_int8 else "bits"
        n_rows = len(layout.positions) if recipe.late else 0
        self._codes: NDArray[np.int8] | NDArray[np.uint8] = (
            np.empty((n_rows, token_dim), dtype=np.int8)
            if as_int8
            else np.empty((n_rows, token_dim // 8), dtype=np.uint8)
        )
        self._scales = np.empty(n_rows if as_int8 else 0, dtype=np.float32)
        mean = recipe.token_mean if recipe.token_encoding == "bits" else None
        self._mean = None if mean is None else mx.array(mean)

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
        return Encoded(dense, self._tokens() if self._recipe.late else None)

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
        kept = [np.flatnonzero(self._windows[index].keep) for index in batch]
        length = states.shape[1]
        sources = [at * length + rows for at, rows in enumerate(kept)]
        targets = [
            self._layout.first_row[index] + np.arange(len(rows))
            for index, rows in zip(batch, kept, strict=True)
        ]
        chosen, at = np.concatenate(sources), np.concatenate(targets)
        if not len(at):
            return
        rows = mx.flatten(states, 0, 1)[mx.array(chosen)].astype(mx.float32)
        x = centred(rows, self._mean)  # (k, D)
        if self._encoding == "bits":
            self._codes[at] = pack_bits(x >= 0)
        else:
            self._codes[at], self._scales[at] = int8_rows(x)

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

    def _tokens(self) -> TokenVectors:
        return TokenVectors(
            self._encoding,
            self._codes,
            self._scales if self._encoding == "int8" else None,
            self._layout.positions,
            self._layout.cu_seqlens,
        )
