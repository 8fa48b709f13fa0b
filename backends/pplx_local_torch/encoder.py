"""Windows to vectors: packed into rows, one forward for dense and token vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np
import psutil
import torch
from torch import Tensor
from transformers import BertModel

from pplx_local.backend.architecture import Architecture
from pplx_local.backend.batching import (
    LEAST_BATCH_TOKENS,
    PASS_S,
    Pace,
    in_halves,
    too_much,
)
from pplx_local.records import Encoded, EncodingRecipe, TokenWindow
from pplx_local_torch.attention import Packing
from pplx_local_torch.brief import BriefQueries
from pplx_local_torch.graphs import QueryGraphs, States
from pplx_local_torch.memory import is_out_of_memory
from pplx_local_torch.model import Network
from pplx_local_torch.outbox import Passes, send_there
from pplx_local_torch.results import Results
from pplx_local_torch.steady import ROW_MULTIPLE

_CPU_BATCH_TOKENS = 4096
"""More at once is slower on a CPU: the states no longer fit its cache."""
_CPU_PAUSES_PER_LAYER = 2
"""There is one before each product, but the two largest take most of the time. Passes
of 50 ms would cost a quarter of the speed."""

_SMALL_BYTES = 200_000_000
"""Weights of which one core has read all before others would have woken: a query takes 0.6
of the time with the starter's on one thread as on two that sleep between operations."""


class TorchEncoder:
    """A `pplx_local.backend.Encoder`."""

    def __init__(
        self,
        network: Network,
        architecture: Architecture,
        recipe: EncodingRecipe,
        max_batch_tokens: int,
    ) -> None:
        weight = next(network.parameters())
        self._network, self._recipe, self._on = network, recipe, weight.device
        self.dim = architecture.hidden_size
        self.token_dim = architecture.token_dim
        self.device = _device_name(weight.device)
        self.dtype = str(weight.dtype).removeprefix("torch.")
        n_bytes = sum(one.numel() * one.element_size() for one in network.parameters())
        self._is_small = weight.device.type == "cpu" and n_bytes < _SMALL_BYTES
        is_fast = weight.is_cuda and weight.dtype == torch.bfloat16
        self._queries: QueryGraphs | BriefQueries | None = None
        """Runs queries quicker than a plain pass."""
        if is_fast:
            self._queries = QueryGraphs(self._pass, weight.device)
        elif self._is_small and isinstance(network.body, BertModel):
            self._queries = BriefQueries(network.body, self._projected)
        self._passes = Passes(weight.device)
        self._pace = Pace(max_batch_tokens)
        if weight.device.type == "cpu":
            n_pauses = architecture.n_layers * _CPU_PAUSES_PER_LAYER
            self._pace = Pace(
                min(max_batch_tokens, _CPU_BATCH_TOKENS),
                least=max(network.steadiness.rows, LEAST_BATCH_TOKENS),
                pass_s=PASS_S * n_pauses,
            )

    @torch.inference_mode()
    def encode(
        self,
        windows: Sequence[TokenWindow],
        *,
        between: Callable[[], None] | None = None,
    ) -> Encoded:
        """Run the windows and quantise on the device."""
        is_query = any(window.kind == "query" for window in windows)
        results = Results(windows, self._recipe, (self.dim, self.token_dim), self._on)
        between = self._pace.apart(between)
        threads = _one_thread() if is_query and self._is_small else nullcontext()
        with threads, self._network.passes(steady=not is_query, between=between):
            for batch in self._batches(windows):
                self._run(windows, batch, results)
        self._passes.end()
        return results.encoded()

    def memory_bytes(self) -> int:
        """Tell the most memory that was taken so far."""
        if self._on.type == "cuda":
            return torch.cuda.max_memory_allocated(self._on)
        if self._on.type == "mps":
            return torch.mps.driver_allocated_memory()
        return psutil.Process().memory_info().rss

    def _batches(self, windows: Sequence[TokenWindow]) -> Iterator[list[int]]:
        """Fill batches with windows, the longest first, equal lengths together."""
        lengths = [len(window.token_ids) for window in windows]
        batch: list[int] = []
        n_tokens = 0
        for index in sorted(range(len(windows)), key=lambda i: -lengths[i]):
            if batch and n_tokens + lengths[index] > self._pace.tokens:
                yield batch
                batch, n_tokens = [], 0
            batch.append(index)
            n_tokens += lengths[index]
        if batch:
            yield batch

    def _run(
        self, windows: Sequence[TokenWindow], batch: list[int], results: Results
    ) -> None:
        """Encode a batch; by halves where memory does not suffice."""

        def run(part: Sequence[int]) -> None:
            states = self._forward([windows[index] for index in part])
            results.land()  # what came of the pass before, while this one is computed
            results.put(part, *states)
            self._passes.wait()

        # The first of several is not waited for, and tells nothing.
        n_tokens = sum(len(windows[i].token_ids) for i in batch)
        is_timed = self._passes.is_waited_for
        timed = self._pace.timed(n_tokens) if is_timed else nullcontext()
        try:
            with timed:
                in_halves(batch, run, is_out_of_memory, self._pace.take_less)
        except MemoryError as error:
            n_tokens = max(len(windows[index].token_ids) for index in batch)
            raise too_much(self.device, n_tokens) from error

    def _forward(self, windows: Sequence[TokenWindow]) -> States:
        """Run windows packed into T rows: states (T, hidden), (T, token_dim)."""
        lengths = [len(window.token_ids) for window in windows]
        n_tokens = sum(lengths)
        n_rows = n_tokens
        is_query = len(windows) == 1 and windows[0].kind == "query"
        if self._queries and is_query:
            states = self._queries.states(windows[0].token_ids)
            if states is not None:
                return states
        if windows[0].kind == "document":  # a query is always alone, and in haste
            # A round number of rows, so that kernels sum each row in one way.
            n_rows = -(-n_tokens // ROW_MULTIPLE) * ROW_MULTIPLE
        ids = np.zeros(n_rows, dtype=np.int64)
        positions = np.zeros(n_rows, dtype=np.int64)
        ids[:n_tokens] = np.concatenate([window.token_ids for window in windows])
        positions[:n_tokens] = np.concatenate([np.arange(n) for n in lengths])
        return self._pass(
            send_there(ids, self._on),
            send_there(positions, self._on),
            Packing.of(lengths, self._on),
        )

    def _pass(self, ids: Tensor, positions: Tensor, packing: Packing) -> States:
        return self._projected(self._network(ids, positions, packing))

    def _projected(self, states: Tensor) -> States:
        return states, self._network.project(states) if self._recipe.late else states


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute without help, and without waiting for it to wake up."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _device_name(device: torch.device) -> str:
    return str(device) if device.type == "cuda" else device.type
