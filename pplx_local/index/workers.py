"""The encoder workers of an index: one for each checkpoint, started when asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.encoding import EncoderWorker
from pplx_local.models import Checkpoint

WorkerFactory = Callable[[Checkpoint, Path, Settings], EncoderWorker]


def spawn_worker(
    checkpoint: Checkpoint, model_dir: Path, settings: Settings
) -> EncoderWorker:
    """Make the worker that the settings ask for; it is not started yet."""
    return EncoderWorker(
        checkpoint,
        model_dir,
        backend=settings.backend,
        device=None if settings.device == "auto" else settings.device,
        dtype=None if settings.dtype == "auto" else settings.dtype,
        max_batch_tokens=settings.max_batch_tokens,
    )


class Workers:
    """Those that run now, by the name of their checkpoint."""

    def __init__(self, factory: WorkerFactory, settings: Settings) -> None:
        """Start none."""
        self._factory, self._settings = factory, settings
        self._running: dict[str, EncoderWorker] = {}

    def get(self, checkpoint: Checkpoint, model_dir: Path) -> EncoderWorker:
        """Give the worker of a checkpoint, which is started without waiting for it."""
        if checkpoint.name not in self._running:
            worker = self._factory(checkpoint, model_dir, self._settings)
            worker.start()
            self._running[checkpoint.name] = worker
        return self._running[checkpoint.name]

    def only(self, checkpoint: Checkpoint, model_dir: Path) -> EncoderWorker:
        """End all others first: two models may be more than the memory holds."""
        for name in self._running.keys() - {checkpoint.name}:
            self._running.pop(name).close()
        return self.get(checkpoint, model_dir)

    def close(self) -> None:
        """End them all; another one can be asked for afterwards."""
        while self._running:
            self._running.popitem()[1].close()
