"""A whole update of a folder, beside the encoder alone on the same texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from pplx_local.bench.material import checkpoints_of, documents_folder
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.config import Settings
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import FolderError
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.index.scratch import scratch_settings
from pplx_local.models import Profile, profile_of
from pplx_local.records import Encoded, Progress, WindowPlan
from pplx_local.store import Store

Follow = Callable[[Iterable[Progress]], None]
_NewIndex = Callable[[EncoderWorker], AbstractContextManager[Index]]

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
    is made ready the first time that it meets a shape, for either of them. Of a profile
    with two checkpoints each is measured by itself, so that the memory holds one.

    Args:
        settings: Model, backend and limits; the home is left alone.
        folder: None for prose that Python brings.
        follow: Runs the update and shows its progress.
        worker: How encoder workers are made.

    Raises:
        FolderError: The folder holds no text.
        ModelError: A model is not here.
    """
    profile = profile_of(settings)
    found = checkpoints_of(profile, settings)
    rows: list[BenchRow] = []
    with documents_folder(folder) as place:
        for checkpoint, model_dir in found.items():
            part = Profile(*(one if one == checkpoint else None for one in profile))
            new_index = partial(_fresh_index, settings, part, place)
            with worker(checkpoint, model_dir, settings) as encoder:
                name = f"{checkpoint.name}: " if len(found) > 1 else ""
                rows += _beside_encoder(new_index, encoder, follow, name)
    return BenchResult("index", machine(), tuple(rows))


def _beside_encoder(
    new_index: _NewIndex, encoder: EncoderWorker, follow: Follow, name: str
) -> list[BenchRow]:
    with new_index(encoder) as index:
        _update(index, follow)
        alone = _encode_alone(index.store, encoder)
    with new_index(encoder) as index:
        n_tokens, seconds = _update(index, follow)
    whole = n_tokens / seconds
    return [
        BenchRow(f"{name}tokens", n_tokens, "tokens"),
        BenchRow(name + _WHOLE, whole, "tokens/s", name + _ALONE, whole / alone),
        BenchRow(name + _ALONE, alone, "tokens/s"),
    ]


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
    settings: Settings, profile: Profile, place: Path, encoder: EncoderWorker
) -> Iterator[Index]:
    lent = cast(EncoderWorker, _Lent(encoder))
    with (
        scratch_settings(settings) as scratch,
        Index.open(
            scratch, write=True, worker=lambda *_: lent, profile=profile
        ) as index,
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
    """Plan each document, in batches as large as an update sends."""
    batches: list[list[WindowPlan]] = [[]]
    n_chars = 0
    documents = {file.document_id for file in store.files(state="indexed")}
    for document_id in sorted(filter(None, documents)):
        texts = [text for _, _, text in store.chunk_texts(document_id)]
        batches[-1] += worker.plan(texts).result()
        n_chars += sum(map(len, texts))
        if n_chars > _BATCH_CHARS:
            batches.append([])
            n_chars = 0
    return [batch for batch in batches if batch]
