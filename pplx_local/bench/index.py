"""A whole update of a folder, beside the encoder alone on the same texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from pplx_local.bench.material import checkpoint_of, documents_folder
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.config import Settings
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import FolderError
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.index.scratch import scratch_settings
from pplx_local.records import Encoded, Progress, WindowPlan
from pplx_local.store import Store

Follow = Callable[[Iterable[Progress]], None]

_BATCH_CHARS = 200_000
_WHOLE = "update: walk, read, store, embed"
_ALONE = "encoder alone"


def measure_index(
    settings: Settings,
    folder: Path | None,
    *,
    follow: Follow,
    worker: WorkerFactory = spawn_worker,
) -> BenchResult:
    """Compare tokens/s of an update with those of its encoder.

    The worker is the same for both, and has run the same texts once before: a kernel
    is made ready the first time that it meets a shape, for either of them.

    Args:
        settings: Model, backend and limits; the home is left alone.
        folder: None for prose that Python brings.
        follow: Runs the update and shows its progress.
        worker: How encoder workers are made.

    Raises:
        FolderError: The folder holds no text.
    """
    checkpoint, model_dir = checkpoint_of(settings)
    with (
        documents_folder(folder) as place,
        worker(checkpoint, model_dir, settings) as encoder,
    ):
        with _fresh_index(settings, encoder, place) as index:
            _update(index, follow)
            alone = _encode_alone(index.store, encoder)
        with _fresh_index(settings, encoder, place) as index:
            n_tokens, seconds = _update(index, follow)
    whole = n_tokens / seconds
    rows = (
        BenchRow("tokens", n_tokens, "tokens"),
        BenchRow(_WHOLE, whole, "tokens/s", _ALONE, whole / alone),
        BenchRow(_ALONE, alone, "tokens/s"),
    )
    return BenchResult("index", machine(), rows)


class _Lent:
    """A worker that whoever borrows it cannot end."""

    def __init__(self, worker: EncoderWorker) -> None:
        self._worker = worker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)

    def close(self) -> None:
        """Leave it running."""


@contextmanager
def _fresh_index(
    settings: Settings, encoder: EncoderWorker, place: Path
) -> Iterator[Index]:
    lent = cast(EncoderWorker, _Lent(encoder))
    with (
        scratch_settings(settings) as scratch,
        Index.open(scratch, write=True, worker=lambda *_: lent) as index,
    ):
        index.add_folder(place)
        yield index


def _update(index: Index, follow: Follow) -> tuple[int, float]:
    """Run a whole update; return tokens and seconds."""
    start = time.perf_counter()
    update = index.update()
    follow(update)
    seconds = time.perf_counter() - start
    if not update.report.encoded_tokens:
        raise FolderError(update.encoder_error or "There is no text to measure with.")
    return update.report.encoded_tokens, seconds


def _encode_alone(store: Store, worker: EncoderWorker) -> float:
    """Encode what the index holds once more; return tokens per second."""
    plans = _plans(store, worker)
    start = time.perf_counter()
    pending: list[Future[Encoded]] = [worker.encode(batch) for batch in plans]
    for encoded in pending:
        encoded.result()
    seconds = time.perf_counter() - start
    return sum(plan.n_tokens for batch in plans for plan in batch) / seconds


def _plans(store: Store, worker: EncoderWorker) -> list[list[WindowPlan]]:
    """Plan all chunks, in batches as large as an update sends."""
    batches: list[list[WindowPlan]] = []
    texts: list[str] = []
    documents = {file.document_id for file in store.files(state="indexed")}
    for document_id in sorted(filter(None, documents)):
        texts += [text for _, _, text in store.chunk_texts(document_id)]
        if sum(map(len, texts)) > _BATCH_CHARS:
            batches.append(worker.plan(texts).result())
            texts = []
    return [*batches, worker.plan(texts).result()]
