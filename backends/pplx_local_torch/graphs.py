"""Queries as CUDA graphs: a pass of few tokens takes longer to launch than to compute.

One graph for each bucket of lengths, recorded when a query first needs it, and compared
with a plain pass before it is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pplx_local_torch.attention import Packing

States = tuple[Tensor, Tensor]
Pass = Callable[[Tensor, Tensor, Packing], States]
"""From ids and positions (T,): states (T, hidden) and token states (T, token_dim)."""

_BUCKET = 16
_LONGEST = 128
"""Longer queries are rare, and their passes are long enough to hide the launches."""
_WARM_UPS = 2
_KNOWN_IDS = 10
"""Below this, every vocabulary has all."""
_TOLERANCE = 0.05
"""Of states in bfloat16, by their largest."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    ids: Tensor
    """(T,) int64, to be written before each replay."""
    starts: Tensor
    """(2,) int32: 0 and how many of the T are real."""
    states: States
    replay: Callable[[], None]


class QueryGraphs:
    """Replays passes of one window on a CUDA device.

    Args:
        run: The plain pass.
        device: Where it runs.
    """

    def __init__(self, run: Pass, device: torch.device) -> None:
        self._run, self._on = run, device
        self._recorded: dict[int, _Recorded] = {}
        self._works = True

    def states(self, ids: NDArray[np.int32]) -> States | None:
        """Run a window of T tokens; None where a plain pass has to do."""
        if not (self._works and 0 < len(ids) <= _LONGEST):
            return None
        n_rows = -(-len(ids) // _BUCKET) * _BUCKET
        try:
            if n_rows not in self._recorded:
                self._recorded[n_rows] = self._record(n_rows)
            found = self._replay(self._recorded[n_rows], ids)
        except RuntimeError:  # something in the network cannot be recorded
            self._works = False
            return None
        return found

    def _replay(self, recorded: _Recorded, ids: NDArray[np.int32]) -> States:
        n = len(ids)
        recorded.ids[:n].copy_(torch.from_numpy(ids.astype(np.int64)))
        recorded.starts[1].fill_(n)
        recorded.replay()
        states, token_states = recorded.states
        return states[:n].clone(), token_states[:n].clone()

    def _record(self, n_rows: int) -> _Recorded:
        """Record the pass of a bucket.

        Raises:
            RuntimeError: It cannot be recorded, or computes something else.
        """
        ids = torch.zeros(n_rows, dtype=torch.int64, device=self._on)
        positions = torch.arange(n_rows, device=self._on)
        packing = Packing.of([n_rows], self._on)
        side = torch.cuda.Stream(self._on)
        side.wait_stream(torch.cuda.current_stream(self._on))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                self._run(ids, positions, packing)
        torch.cuda.current_stream(self._on).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            states = self._run(ids, positions, packing)
        recorded = _Recorded(ids, packing.cu_seqlens, states, graph.replay)
        self._check(recorded)
        return recorded

    def _check(self, recorded: _Recorded) -> None:
        """Hold a replay to what was not recorded: other ids, and fewer of them.

        Raises:
            RuntimeError: It is something else.
        """
        n = len(recorded.ids) - _BUCKET // 2
        ids = np.arange(n, dtype=np.int32) % _KNOWN_IDS
        places = torch.arange(n, device=self._on)
        plain = self._run(
            torch.from_numpy(ids.astype(np.int64)).to(self._on),
            places,
            Packing.of([n], self._on),
        )
        for ours, theirs in zip(self._replay(recorded, ids), plain, strict=True):
            apart = (ours - theirs).abs().max()
            if not apart <= _TOLERANCE * theirs.abs().max():
                raise RuntimeError("the recorded pass is not the plain one")
