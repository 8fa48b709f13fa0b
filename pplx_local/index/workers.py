"""The encoder workers of an index: one for each checkpoint, started when asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.encoding import EncoderWorker
from pplx_local.models import Checkpoint
from pplx_local.priority import NICENESS
from pplx_local.search.exhaustive import Exhaustive
from pplx_local.store import Space

WorkerFactory = Callable[[Checkpoint, Path, Settings], EncoderWorker]

_QUERIES_GO_ON_S = 60.0
"""After one query another is likely for so long."""


def spawn_worker(
    checkpoint: Checkpoint, model_dir: Path, settings: Settings
) -> EncoderWorker:
    """Make the worker that the settings ask for; it is not started yet."""
    return _worker(checkpoint, model_dir, settings, niceness=0)


def spawn_polite_worker(
    checkpoint: Checkpoint, model_dir: Path, settings: Settings
) -> EncoderWorker:
    """Make the same worker for the background: everything else goes first."""
    return _worker(checkpoint, model_dir, settings, niceness=NICENESS)


def _worker(
    checkpoint: Checkpoint, model_dir: Path, settings: Settings, *, niceness: int
) -> EncoderWorker:
    return EncoderWorker(
        checkpoint,
        model_dir,
        backend=settings.backend,
        device=None if settings.device == "auto" else settings.device,
        dtype=None if settings.dtype == "auto" else settings.dtype,
        max_batch_tokens=settings.max_batch_tokens,
        niceness=niceness,
    )


class Workers:
    """Those that were asked for, by the name of their checkpoint. Any thread may call.

    Args:
        factory: Makes them.
        settings: What they are made from.
        keep_for_queries: Whether others hold them too and send queries, at any time.
    """

    def __init__(
        self,
        factory: WorkerFactory,
        settings: Settings,
        *,
        keep_for_queries: bool = False,
    ) -> None:
        """Start none."""
        self._factory, self._settings = factory, settings
        self._keep_for_queries = keep_for_queries
        self._lock = threading.Lock()
        """Never held while a child is started or ended."""
        self._made: dict[str, EncoderWorker] = {}
        self._kept: dict[EncoderWorker, Exhaustive] = {}

    def get(self, checkpoint: Checkpoint, model_dir: Path) -> EncoderWorker:
        """Give the worker of a checkpoint, which is started without waiting for it."""
        with self._lock:
            worker = self._made.get(checkpoint.name)
            if worker is None:
                worker = self._factory(checkpoint, model_dir, self._settings)
                self._made[checkpoint.name] = worker
        worker.start()
        return worker

    def kept(self, worker: EncoderWorker, space: Space) -> Exhaustive:
        """Give what a worker keeps of a space; of another one it keeps nothing then."""
        with self._lock:
            kept = self._kept.get(worker)
            if kept is None or kept.space != space:
                kept = self._kept[worker] = Exhaustive(worker, space)
            return kept

    def only(self, checkpoint: Checkpoint, model_dir: Path) -> EncoderWorker:
        """End all others first: two models may be more than the memory holds.

        Those that others hold and send queries to are spared for now, and never closed.
        """
        for name, worker in self._snapshot():
            if name != checkpoint.name:
                self._end(name, worker)
        return self.get(checkpoint, model_dir)

    def end_idle(self, after_s: float) -> list[str]:
        """End the processes that have been idle for so long, and name their models.

        Whoever holds such a worker can go on: its next call starts a process again.
        """
        return [name for name, worker in self._snapshot() if worker.rest(after_s)]

    def close(self) -> None:
        """End them all; another one can be asked for afterwards."""
        with self._lock:
            closing, self._made = self._made, {}
            self._kept.clear()
        for worker in closing.values():
            worker.close()

    def _snapshot(self) -> list[tuple[str, EncoderWorker]]:
        with self._lock:
            return list(self._made.items())

    def _end(self, name: str, worker: EncoderWorker) -> None:
        if not self._keep_for_queries:
            with self._lock:
                self._made.pop(name, None)
                self._kept.pop(worker, None)
            worker.close()
        elif worker.since_query_s() >= _QUERIES_GO_ON_S:
            worker.rest(after_s=0.0)
