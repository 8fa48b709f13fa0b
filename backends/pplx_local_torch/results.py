"""The vectors of one call, put in their places batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pplx_local.backend.layout import Layout, kept_rows
from pplx_local.backend.token_rows import TokenRows
from pplx_local.records import (
    DenseVectors,
    Encoded,
    EncodingRecipe,
    TokenWindow,
)
from pplx_local_torch.merging import pool_rows
from pplx_local_torch.outbox import Outbox, send_there
from pplx_local_torch.quantize import (
    int8_rows,
    pack_bits,
    quantize_dense,
    unit_rows,
)


class Results:
    """Sums of pool spans on the device, codes of token vectors on the host."""

    def __init__(
        self,
        windows: Sequence[TokenWindow],
        recipe: EncodingRecipe,
        dims: tuple[int, int],
        device: torch.device,
    ) -> None:
        """Make room; `dims` are those of the dense and of the token vectors."""
        dim, token_dim = dims
        self._windows, self._recipe = windows, recipe
        self._layout = layout = Layout.of(windows, recipe.token_pooling)
        self._sums = torch.zeros(len(layout.chunk_of_span), dim, device=device)
        self._rows = TokenRows(windows, layout, recipe, token_dim)
        self._outbox = Outbox(device)

    def put(self, batch: Sequence[int], states: Tensor, token_states: Tensor) -> None:
        """Take the states of windows that lie behind one another.

        Args:
            batch: The numbers of the windows, in order.
            states: (T, dim)
            token_states: (T, token_dim)
        """
        lengths = [len(self._windows[index].token_ids) for index in batch]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        if self._recipe.dense:
            self._pool(batch, starts, states)
        if self._recipe.late:
            self._keep(batch, starts, token_states)

    def land(self) -> None:
        """Take in what the device has sent of windows that were put."""
        self._outbox.deliver()

    def encoded(self) -> Encoded:
        """Hand the vectors over, once all windows were put."""
        self._outbox.empty()
        dense = self._dense() if self._recipe.dense else None
        return Encoded(dense, self._rows.vectors() if self._recipe.late else None)

    def _pool(
        self, batch: Sequence[int], starts: NDArray[np.int64], states: Tensor
    ) -> None:
        """Add up each pool span in float32."""
        if self._sums.is_cuda:
            self._pool_at_once(batch, starts, states)
            return
        for index, first in zip(batch, starts.tolist(), strict=True):
            spans = self._windows[index].pool_spans
            for at, (start, end) in enumerate(spans, self._layout.first_span[index]):
                rows = states[first + start : first + end]
                torch.sum(rows, 0, dtype=torch.float32, out=self._sums[at])

    def _pool_at_once(
        self, batch: Sequence[int], starts: NDArray[np.int64], states: Tensor
    ) -> None:
        """Do so by few launches: one for each span takes longer than the network."""
        spans: list[tuple[int, int]] = []
        numbers: list[int] = []
        for index, first in zip(batch, starts.tolist(), strict=True):
            own, at = self._windows[index].pool_spans, self._layout.first_span[index]
            spans += [(first + start, first + end) for start, end in own]
            numbers += range(at, at + len(own))
        if not spans:
            return
        on = self._sums.device
        places = np.concatenate([np.arange(*span) for span in spans])
        rows = states[send_there(places, on)].float()
        lengths = send_there(np.diff(spans).ravel(), on)
        # Their sum is not checked: that would wait for all that the device does.
        sums = torch.segment_reduce(rows, "sum", lengths=lengths, axis=0, unsafe=True)
        self._sums[send_there(np.array(numbers), on)] = sums

    def _keep(
        self, batch: Sequence[int], starts: NDArray[np.int64], states: Tensor
    ) -> None:
        """Quantise the kept states into their rows."""
        places = kept_rows(self._windows, batch, starts)
        x = states[send_there(places, states.device)].float()  # (k, D)
        if not self._rows.is_pooled:
            put = partial(self._rows.put, batch)
            self._outbox.send(self._codes(x), lambda arrays: put(*arrays))
        elif _is_pooled_there(x.device):
            self._outbox.hold(unit_rows(x), partial(self._merge, batch))
        else:
            pool = partial(self._rows.pool, batch)
            self._outbox.send([unit_rows(x)], lambda arrays: pool(*arrays))

    def _merge(self, batch: Sequence[int], rows: Tensor) -> None:
        """Pool unit rows of a batch where they are, and send what is left of them."""
        lengths = self._rows.lengths(batch)
        pooled = pool_rows(rows, lengths, self._layout.pooling)

        def put(arrays: list[NDArray[Any]]) -> None:
            members, codes, *scales = arrays
            own = scales[0] if scales else None
            self._rows.put(batch, codes, own, members)

        self._outbox.send([pooled.members, *self._codes(pooled.rows)], put)

    def _codes(self, x: Tensor) -> list[Tensor]:
        """Quantise rows (k, D) float32: codes, and scales where they are int8."""
        return [pack_bits(x >= 0)] if self._rows.is_bits else [*int8_rows(unit_rows(x))]

    def _dense(self) -> DenseVectors:
        """Average the spans of each chunk, pieces weighed by their tokens."""
        layout = self._layout
        at = torch.from_numpy(layout.chunk_of_span).to(self._sums.device)
        x = self._sums.new_zeros(layout.n_chunks, self._sums.shape[1])
        x.index_add_(0, at, self._sums)
        counts = torch.from_numpy(layout.chunk_tokens).to(x.device)
        x /= counts[:, None]
        return quantize_dense(x, self._recipe.quantizer, self._recipe.bits_rule)


def _is_pooled_there(device: torch.device) -> bool:
    """Tell whether token vectors are pooled on the device, passages side by side.

    On a CPU they would not be the same to the bit in any company.
    """
    return device.type == "cuda"
