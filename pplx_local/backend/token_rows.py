"""The token vectors of one call, on the host, put in their places batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pplx_local.backend.layout import Layout
from pplx_local.backend.pooling import n_pooled, pool_rows
from pplx_local.records import EncodingRecipe, TokenVectors, TokenWindow
from pplx_local.reference import token_codes


class TokenRows:
    """Codes, scales and positions of T rows, filled as they come."""

    def __init__(
        self,
        windows: Sequence[TokenWindow],
        layout: Layout,
        recipe: EncodingRecipe,
        dim: int,
    ) -> None:
        """Make room for the vectors of these windows, of `dim` dimensions each."""
        self._windows, self._layout, self._recipe = windows, layout, recipe
        self.is_bits = recipe.token_encoding == "bits" and not layout.is_query
        self.is_pooled = layout.pooling > 1
        """Whether `pool` is to be called, and not `put`."""
        shape, dtype = ((dim // 8,), np.uint8) if self.is_bits else ((dim,), np.int8)
        n_rows = int(layout.cu_seqlens[-1]) if recipe.late else 0
        self._codes: NDArray[Any] = np.empty((n_rows, *shape), dtype=dtype)
        self._scales = np.empty(0 if self.is_bits else n_rows, dtype=np.float32)
        self._positions = np.empty(n_rows, dtype=np.int32)

    def put(
        self,
        batch: Sequence[int],
        codes: NDArray[Any],
        scales: NDArray[np.float32] | None = None,
        members: NDArray[np.int32] | None = None,
    ) -> None:
        """Take what a device made of the kept states of a batch, window by window.

        Args:
            batch: The numbers of the windows.
            codes: Of the states, or of those that it pooled.
            scales: Of int8 codes.
            members: Which of the batch's kept states each pooled one stands for.
        """
        pieces = list(self._pieces(batch))
        positions = np.concatenate([np.empty(0, np.int32), *(own for _, own in pieces)])
        if members is not None:
            positions = positions[members]
        first = 0
        for row, own in pieces:
            rows = slice(first, first + n_pooled(len(own), self._layout.pooling))
            part = None if scales is None else scales[rows]
            self._put(row, positions[rows], codes[rows], part)
            first = rows.stop

    def lengths(self, batch: Sequence[int]) -> NDArray[np.int64]:
        """Count the kept states of each pool span of a batch, window by window."""
        return np.array([len(own) for _, own in self._pieces(batch)], dtype=np.int64)

    def pool(self, batch: Sequence[int], states: NDArray[np.float32]) -> None:
        """Merge the kept states of a batch, unit rows, piece by piece of a chunk.

        On the host: what is merged next depends on what was merged before.
        """
        first = 0
        for row, positions in self._pieces(batch):
            rows = states[first : first + len(positions)]
            pooled = pool_rows(rows, self._layout.pooling)
            codes = token_codes(pooled.rows, self._recipe.token_encoding)
            self._put(row, positions[pooled.members], *codes)
            first += len(positions)

    def vectors(self) -> TokenVectors:
        """Hand them over, once all rows are filled."""
        return TokenVectors(
            "bits" if self.is_bits else "int8",
            self._codes,
            None if self.is_bits else self._scales,
            self._positions,
            self._layout.cu_seqlens,
        )

    def _pieces(self, batch: Sequence[int]) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Give the first row of each pool span, and the positions of its kept tokens."""
        for index in batch:
            window, row = self._windows[index], int(self._layout.first_row[index])
            for start, end in window.pool_spans:
                positions = window.positions[start:end][window.keep[start:end]]
                yield row, positions
                row += n_pooled(len(positions), self._layout.pooling)

    def _put(
        self,
        row: int,
        positions: NDArray[np.int32],
        codes: NDArray[Any],
        scales: NDArray[np.float32] | None,
    ) -> None:
        rows = slice(row, row + len(positions))
        self._positions[rows] = positions
        self._codes[rows] = codes
        if scales is not None:
            self._scales[rows] = scales
