"""Windows to vectors: equal lengths together, one pass for dense and token vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import mlx.core as mx
import numpy as np
import psutil

from pplx_local.backend.architecture import Architecture
from pplx_local.backend.batching import Pace, in_halves, too_much
from pplx_local.records import Encoded, EncodingRecipe, TokenWindow
from pplx_local_mlx.network import Network
from pplx_local_mlx.results import Results

_MULTIPLE = 32
"""Windows are padded to a multiple of this, and run with windows of the same one."""
_NO_MEMORY = ("allocate", "insufficient memory", "out of memory")


class MlxEncoder:
    """A `pplx_local.backend.Encoder`."""

    def __init__(
        self,
        network: Network,
        architecture: Architecture,
        recipe: EncodingRecipe,
        on: mx.DeviceType,
        names: tuple[str, str],
        max_batch_tokens: int,
    ) -> None:
        """Take a network on a device; `names` are those of device and precision."""
        self._network, self._recipe, self._on = network, recipe, on
        self.dim = architecture.hidden_size
        self.token_dim = architecture.token_dim
        self.device, self.dtype = names
        self._pace = Pace(max_batch_tokens)

    def encode(
        self,
        windows: Sequence[TokenWindow],
        *,
        between: Callable[[], None] | None = None,
    ) -> Encoded:
        """Run the windows and quantise on the device."""
        with mx.stream(self._on):
            results = Results(windows, self._recipe, (self.dim, self.token_dim))
            between = self._pace.apart(between)
            for batch in self._batches(windows):
                if between:
                    between()
                self._run(windows, batch, results)
                mx.clear_cache()
            return results.encoded()

    def memory_bytes(self) -> int:
        """Tell how much memory is taken: the most so far on Metal."""
        if self._on == mx.gpu:
            return mx.get_peak_memory()
        return psutil.Process().memory_info().rss

    def _batches(self, windows: Sequence[TokenWindow]) -> Iterator[list[int]]:
        """Fill batches with windows of one padded length, the longest first."""
        lengths = [_padded(window) for window in windows]
        order = sorted(range(len(windows)), key=lambda index: -lengths[index])
        for length, equals in groupby(order, key=lambda index: lengths[index]):
            batch = list(equals)
            while batch:
                size = max(1, self._pace.tokens // length)
                yield batch[:size]
                batch = batch[size:]

    def _run(
        self, windows: Sequence[TokenWindow], batch: list[int], results: Results
    ) -> None:
        """Encode a batch; by halves where memory does not suffice."""

        def run(part: Sequence[int]) -> None:
            results.put(part, *self._forward([windows[index] for index in part]))

        try:
            with self._pace.timed(sum(_padded(windows[index]) for index in batch)):
                in_halves(batch, run, _is_out_of_memory, self._take_less)
        except MemoryError as error:
            n_tokens = max(len(windows[index].token_ids) for index in batch)
            raise too_much(self.device, n_tokens) from error

    def _take_less(self) -> None:
        mx.clear_cache()
        self._pace.take_less()

    def _forward(self, windows: Sequence[TokenWindow]) -> tuple[mx.array, mx.array]:
        """Run B windows of one padded length L: (B, L, hidden), (B, L, token_dim)."""
        if self._on == mx.cpu:
            # By itself, so that no product can be summed in another order in company.
            alone = [self._states([window]) for window in windows]
            states = mx.concatenate(alone)
        else:
            states = self._states(windows)
        token_states = self._network.project(states) if self._recipe.late else states
        mx.eval(states, token_states)
        return states, token_states

    def _states(self, windows: Sequence[TokenWindow]) -> mx.array:
        lengths = np.array([len(window.token_ids) for window in windows])
        ids = np.zeros((len(windows), _padded(windows[0])), dtype=np.int32)
        for row, window in zip(ids, windows, strict=True):
            row[: len(window.token_ids)] = window.token_ids
        is_token = np.arange(ids.shape[1]) < lengths[:, None]  # (B, L)
        mask = None if is_token.all() else mx.array(is_token)[:, None, None, :]
        states = self._network(mx.array(ids), mask)
        mx.eval(states)
        return states


def _padded(window: TokenWindow) -> int:
    return -(-len(window.token_ids) // _MULTIPLE) * _MULTIPLE


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell; MLX has no class for it."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(word in said for word in _NO_MEMORY)
