"""Windows to vectors: batches of equals, one forward for dense and token vectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pplx_local.errors import EncoderCrashed
from pplx_local.records import Encoded, EncodingRecipe, TokenWindow
from pplx_local_torch.results import Results
from pplx_local_torch.steady import ROW_MULTIPLE

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_CPU_BATCH_TOKENS = 4096
"""More at once is slower on a CPU: the states no longer fit its cache."""


class TorchEncoder:
    """A `pplx_local.backend.Encoder`."""

    def __init__(
        self, model: PreTrainedModel, recipe: EncodingRecipe, max_batch_tokens: int
    ) -> None:
        weight = next(model.parameters())
        self._model, self._recipe, self._on = model, recipe, weight.device
        self.dim: int = model.config.hidden_size
        self.device = _device_name(weight.device)
        self.dtype = str(weight.dtype).removeprefix("torch.")
        if weight.device.type == "cpu":
            max_batch_tokens = min(max_batch_tokens, _CPU_BATCH_TOKENS)
        self._max_batch_tokens = max_batch_tokens

    @torch.inference_mode()
    def encode(self, windows: Sequence[TokenWindow]) -> Encoded:
        """Run the windows and quantise on the device."""
        results = Results(windows, self._recipe, self.dim, self._on)
        for batch in self._batches(windows):
            self._run(windows, batch, results)
        return results.encoded()

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
        self, windows: Sequence[TokenWindow], batch: list[int], results: Results
    ) -> None:
        """Encode a batch; by halves where memory does not suffice."""
        try:
            results.put(batch, self._forward([windows[index] for index in batch]))
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
        # Outside the handler, which would keep the tensors of the failed try alive.
        self._max_batch_tokens = max(self._max_batch_tokens // 2, ROW_MULTIPLE)
        half = len(batch) // 2
        self._run(windows, batch[:half], results)
        self._run(windows, batch[half:], results)

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


def _padded_length(window: TokenWindow) -> int:
    return -(-len(window.token_ids) // ROW_MULTIPLE) * ROW_MULTIPLE


def _device_name(device: torch.device) -> str:
    return str(device) if device.type == "cuda" else device.type


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell; torch has a class for it on CUDA alone."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "can't allocate memory" in str(error) or "out of memory" in str(error)
