"""Windows to vectors: batches of equals, one forward for dense and token vectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pplx_local.errors import EncoderCrashed
from pplx_local.records import (
    DenseVectors,
    Encoded,
    EncodingRecipe,
    TokenWindow,
)
from pplx_local_torch.layout import Layout, Rows
from pplx_local_torch.quantize import centred, quantize_dense
from pplx_local_torch.steady import ROW_MULTIPLE

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_CPU_BATCH_TOKENS = 4096
"""More at once is slower on a CPU: the states no longer fit its cache."""


class TorchEncoder:
    """An `pplx_local.backend.Encoder`."""

    def __init__(
        self, model: PreTrainedModel, recipe: EncodingRecipe, max_batch_tokens: int
    ) -> None:
        weight = next(model.parameters())
        self._model, self._recipe, self._on = model, recipe, weight.device
        self.dim: int = model.config.hidden_size
        on_cuda = weight.device.type == "cuda"
        self.device = str(weight.device) if on_cuda else weight.device.type
        self.dtype = str(weight.dtype).removeprefix("torch.")
        on_cpu = weight.device.type == "cpu"
        self._max_batch_tokens = (
            min(max_batch_tokens, _CPU_BATCH_TOKENS) if on_cpu else max_batch_tokens
        )
        mean = recipe.token_mean if recipe.token_encoding == "bits" else None
        self._mean = None if mean is None else torch.tensor(mean, device=self._on)

    @torch.inference_mode()
    def encode(self, windows: Sequence[TokenWindow]) -> Encoded:
        """Run the windows and quantise on the device."""
        layout = Layout.of(windows)
        sums = torch.zeros(len(layout.chunk_of_span), self.dim, device=self._on)
        rows = self._empty_rows(layout)
        for batch in self._batches(windows):
            self._run(windows, batch, layout, sums, rows)
        dense = self._dense(sums, layout) if self._recipe.dense else None
        return Encoded(dense, rows.packed(layout) if self._recipe.late else None)

    def _batches(self, windows: Sequence[TokenWindow]) -> Iterator[list[int]]:
        """Put windows of one padded length together, the longest first."""
        by_length: dict[int, list[int]] = defaultdict(list)
        for index, window in enumerate(windows):
            by_length[_padded_length(window)].append(index)
        for length in sorted(by_length, reverse=True):
            size = max(1, self._max_batch_tokens // length)
            alike = by_length[length]
            yield from (alike[at : at + size] for at in range(0, len(alike), size))

    def _run(
        self,
        windows: Sequence[TokenWindow],
        batch: list[int],
        layout: Layout,
        sums: Tensor,
        rows: Rows,
    ) -> None:
        """Encode a batch; by halves where memory does not suffice."""
        try:
            hidden = self._forward([windows[index] for index in batch])  # (n, L, D)
            self._pool(hidden, windows, batch, layout, sums)
            if self._recipe.late:
                self._keep(hidden, windows, batch, layout, rows)
            return
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise EncoderCrashed(
                    f"There is not enough memory on {self.device} to encode "
                    f"{len(windows[batch[0]].token_ids)} tokens at once. Close other "
                    "programs, or choose a smaller model or another device."
                ) from error
        self._max_batch_tokens = max(self._max_batch_tokens // 2, ROW_MULTIPLE)
        half = len(batch) // 2
        self._run(windows, batch[:half], layout, sums, rows)
        self._run(windows, batch[half:], layout, sums, rows)

    def _forward(self, windows: Sequence[TokenWindow]) -> Tensor:
        """Run windows of one padded length L: their last states (n, L, D)."""
        length = _padded_length(windows[0])
        ids = np.zeros((len(windows), length), dtype=np.int64)
        real = np.zeros((len(windows), 1, 1, length), dtype=np.bool_)
        for row, window in enumerate(windows):
            ids[row, : len(window.token_ids)] = window.token_ids
            real[row, ..., : len(window.token_ids)] = True
        # Always with a mask: without one another kernel runs, which rounds otherwise.
        output = self._model(
            input_ids=torch.from_numpy(ids).to(self._on),
            attention_mask=torch.from_numpy(real).to(self._on),
        )
        states: Tensor = output.last_hidden_state
        return states

    def _pool(
        self,
        hidden: Tensor,
        windows: Sequence[TokenWindow],
        batch: list[int],
        layout: Layout,
        sums: Tensor,
    ) -> None:
        """Add up each pool span of the batch in float32."""
        for states, index in zip(hidden, batch, strict=True):
            first = layout.first_span[index]
            for at, (start, end) in enumerate(windows[index].pool_spans, first):
                torch.sum(states[start:end], 0, dtype=torch.float32, out=sums[at])

    def _keep(
        self,
        hidden: Tensor,
        windows: Sequence[TokenWindow],
        batch: list[int],
        layout: Layout,
        rows: Rows,
    ) -> None:
        """Quantise the batch's token states into their rows."""
        length = hidden.shape[1]
        sources = [
            at * length + np.flatnonzero(windows[index].keep)
            for at, index in enumerate(batch)
        ]
        targets = np.concatenate(
            [
                layout.first_row[index] + np.arange(len(source))
                for index, source in zip(batch, sources, strict=True)
            ]
        )
        chosen = torch.from_numpy(np.concatenate(sources)).to(self._on)
        x = hidden.flatten(0, 1)[chosen].float()  # (k, D)
        rows.put(targets, centred(x, self._mean))

    def _dense(self, sums: Tensor, layout: Layout) -> DenseVectors:
        """Average the spans of each chunk, pieces weighed by their tokens."""
        at = torch.from_numpy(layout.chunk_of_span).to(self._on)
        x = torch.zeros(layout.n_chunks, self.dim, device=self._on)
        x.index_add_(0, at, sums)
        counts = np.bincount(
            layout.chunk_of_span, layout.span_lengths, minlength=layout.n_chunks
        )
        x /= torch.from_numpy(counts.astype(np.float32)).to(self._on)[:, None]
        return quantize_dense(x, self._recipe.quantizer, self._recipe.bits_rule)

    def _empty_rows(self, layout: Layout) -> Rows:
        n_rows = len(layout.positions)
        if layout.is_query or self._recipe.token_encoding == "int8":
            scales = np.empty(n_rows, dtype=np.float32)
            return Rows(np.empty((n_rows, self.dim), dtype=np.int8), scales)
        return Rows(np.empty((n_rows, self.dim // 8), dtype=np.uint8), None)


def _padded_length(window: TokenWindow) -> int:
    return -(-len(window.token_ids) // ROW_MULTIPLE) * ROW_MULTIPLE


def _is_out_of_memory(error: BaseException) -> bool:
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "can't allocate memory" in str(error)
        or "out of memory" in str(error)
    )
