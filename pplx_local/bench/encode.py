"""The encoder alone, beside sentence-transformers on the same texts."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pplx_local.bench.material import checkpoint_of, chunk_texts, documents_folder
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.config import Settings
from pplx_local.errors import FolderError
from pplx_local.index import WorkerFactory, spawn_worker
from pplx_local.records import WindowPlan

_MAX_TOKENS = 256
"""Where sentence-transformers cuts with the starter. Texts are shortened, and what is
still longer is left out, so that both sides read every token of every text."""
_MAX_CHARS = 800
_WARM_UP = 32
_OURS = "pplx-local, dense and token vectors"
_RIVAL = "sentence-transformers, its defaults"
_BATCH_TEXTS = 256


def measure_encode(
    settings: Settings,
    folder: Path | None = None,
    *,
    worker: WorkerFactory = spawn_worker,
) -> BenchResult:
    """Compare tokens/s; each side has the machine to itself.

    Args:
        settings: Model, backend and limits.
        folder: None for prose that Python brings.
        worker: How encoder workers are made.

    Raises:
        FolderError: The folder holds no text.
        ModelError: No model is here.
    """
    checkpoint, model_dir = checkpoint_of(settings)
    with documents_folder(folder) as place:
        texts = [text[:_MAX_CHARS] for text in chunk_texts(place, settings)]
    with worker(checkpoint, model_dir, settings) as encoder:
        device = encoder.info().device
        planned = encoder.plan(texts).result()
        plans = [plan for plan in planned if plan.n_tokens <= _MAX_TOKENS]
        if not plans:
            raise FolderError("There is no text to measure with.")
        encoder.encode(plans[:_WARM_UP]).result()
        start = time.perf_counter()
        pending = [encoder.encode(batch) for batch in _batches(plans)]
        for encoded in pending:
            encoded.result()
        seconds = time.perf_counter() - start
    n_tokens = sum(plan.n_tokens for plan in plans)
    kept = [texts[plan.chunk_indices[0]] for plan in plans]
    ours = n_tokens / seconds
    rows = [
        BenchRow("texts", len(kept), "texts"),
        BenchRow("tokens", n_tokens, "tokens"),
    ]
    rows += _beside_rival(ours, n_tokens, kept, model_dir, device)
    return BenchResult("encode", machine(), tuple(rows))


def _batches(plans: Sequence[WindowPlan]) -> list[Sequence[WindowPlan]]:
    starts = range(0, len(plans), _BATCH_TEXTS)
    return [plans[start : start + _BATCH_TEXTS] for start in starts]


def _beside_rival(
    ours: float, n_tokens: int, texts: list[str], model_dir: Path, device: str
) -> list[BenchRow]:
    spawn = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=spawn) as child:
            work = child.submit(_encode_by_rival, texts, str(model_dir), device)
            theirs = n_tokens / work.result()
    except ImportError:
        how = f"{_RIVAL}: not here; pip install sentence-transformers"
        return [BenchRow(_OURS, ours, "tokens/s"), BenchRow(how, None, "tokens/s")]
    return [
        BenchRow(_OURS, ours, "tokens/s", _RIVAL, ours / theirs),
        BenchRow(_RIVAL, theirs, "tokens/s"),
    ]


def _encode_by_rival(texts: list[str], model_dir: str, device: str) -> float:
    """Return the seconds that sentence-transformers takes, warmed up alike."""
    os.environ |= {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(model_dir, device=device, local_files_only=True)
    model.encode(texts[:_WARM_UP])
    start = time.perf_counter()
    model.encode(texts)
    return time.perf_counter() - start
