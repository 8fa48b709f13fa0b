"""The encoder alone, beside sentence-transformers on the same texts."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pplx_local.bench.material import (
    checkpoints_of,
    chunk_texts,
    documents_folder,
)
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.bench.timing import each_ms
from pplx_local.config import Settings
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import FolderError
from pplx_local.index import WorkerFactory, spawn_worker
from pplx_local.models import Checkpoint, profile_of
from pplx_local.records import WindowPlan
from pplx_local.window import batches

_MAX_TOKENS = 256
"""Where sentence-transformers cuts with the starter. Texts are shortened, and what is
still longer is left out, so that both sides read every token of every text."""
_MAX_CHARS = 800
_WARM_UP_TEXTS = 32
_WARM_UP_TOKENS = 8_192
_BATCH_TOKENS = 65_536
_QUERIES = 60
_QUERY_WORDS = 8
_Work = list[tuple[WindowPlan, str]]
"""Plans, and the first chunk of each."""


def measure_encode(
    settings: Settings,
    folder: Path | None = None,
    *,
    worker: WorkerFactory = spawn_worker,
    rival_dtype: str | None = None,
) -> BenchResult:
    """Compare tokens/s of the dense checkpoint, and the time that a query takes.

    Each side has the machine to itself.

    sentence-transformers takes part where it runs a checkpoint without code that came
    with it, which is never run here.

    Args:
        settings: Model, backend and limits.
        folder: None for prose that Python brings.
        worker: How encoder workers are made.
        rival_dtype: The precision of sentence-transformers, with SDPA; None for what it
            takes by itself.

    Raises:
        FolderError: The folder holds no text.
        ModelError: A model is not here.
    """
    found = checkpoints_of(profile_of(settings), settings)
    checkpoint, model_dir = next(iter(found.items()))
    has_rival = checkpoint.package is not None
    with documents_folder(folder) as place:
        documents = chunk_texts(place, settings)
    with worker(checkpoint, model_dir, settings) as encoder:
        device = encoder.info().device
        work = _short(encoder, documents) if has_rival else _work(encoder, documents)
        if not work:
            raise FolderError("There is no text to measure with.")
        seconds = seconds_of(encoder, [plan for plan, _ in work])
        ours = _Measured(seconds, each_ms(_queries(work), encoder.query))
    n_texts, n_tokens = _counts(work)
    what = _name(checkpoint)
    rows = [BenchRow("texts", n_texts, "texts"), BenchRow("tokens", n_tokens, "tokens")]
    if has_rival:
        rival = _Rival(model_dir, device, rival_dtype)
        rows += _beside_rival(what, ours, work, rival)
    else:
        how = f"sentence-transformers: runs code that comes with {checkpoint.title}"
        rows += _without_rival(what, n_tokens, ours, how)
    return BenchResult("encode", machine(), tuple(rows))


class _Measured(NamedTuple):
    """What one side took."""

    seconds: float
    """For all texts."""
    query_ms: list[float]
    """For each query alone, until its vectors are here."""

    @property
    def usual_ms(self) -> float:
        """For a query, mostly."""
        return median(self.query_ms)


class _Rival(NamedTuple):
    """sentence-transformers with a checkpoint."""

    model_dir: Path
    device: str
    dtype: str | None

    @property
    def name(self) -> str:
        """How it is run."""
        how = f"{self.dtype} with SDPA" if self.dtype else "its defaults"
        return f"sentence-transformers, {how}"


def _name(checkpoint: Checkpoint) -> str:
    names = {"dense": "dense", "late": "token"}
    made = " and ".join(names[role] for role in checkpoint.roles)
    return f"pplx-local, {made} vectors"


def _counts(work: _Work) -> tuple[int, int]:
    """Count texts and tokens."""
    n_texts = sum(len(plan.chunk_indices) for plan, _ in work)
    return n_texts, sum(plan.n_tokens for plan, _ in work)


def _work(encoder: EncoderWorker, documents: Iterable[list[str]]) -> _Work:
    """Plan each document by itself: its chunks may be read together."""
    pending = [(texts, encoder.plan(texts)) for texts in documents]
    return [
        (plan, texts[plan.chunk_indices[0]])
        for texts, plans in pending
        for plan in plans.result()
    ]


def _short(encoder: EncoderWorker, documents: Iterable[list[str]]) -> _Work:
    """Plan what no side cuts: chunks that are read alone, shortened."""
    cut = [[text[:_MAX_CHARS] for text in texts] for texts in documents]
    return [one for one in _work(encoder, cut) if one[0].n_tokens <= _MAX_TOKENS]


def seconds_of(encoder: EncoderWorker, plans: Sequence[WindowPlan]) -> float:
    """Return the seconds that encoding takes, warmed up."""
    for indices in islice(batches(plans, _WARM_UP_TOKENS), 1):
        encoder.encode([plans[index] for index in indices]).result()
    start = time.perf_counter()
    pending = [
        encoder.encode([plans[index] for index in indices])
        for indices in batches(plans, _BATCH_TOKENS)
    ]
    for encoded in pending:
        encoded.result()
    return time.perf_counter() - start


def _queries(work: _Work) -> list[str]:
    """Ask with the first words of texts."""
    return [" ".join(text.split()[:_QUERY_WORDS]) for _, text in work[:_QUERIES]]


def _beside_rival(
    what: str, ours: _Measured, work: _Work, rival: _Rival
) -> list[BenchRow]:
    n_tokens, texts = _counts(work)[1], [text for _, text in work]
    spawn = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=spawn) as child:
            asked = child.submit(_encode_by_rival, texts, _queries(work), rival)
            theirs = asked.result()
    except ImportError:
        how = f"{rival.name}: not here; pip install sentence-transformers"
        return _without_rival(what, n_tokens, ours, how)
    faster, sooner = theirs.seconds / ours.seconds, theirs.usual_ms / ours.usual_ms
    return [
        BenchRow(what, n_tokens / ours.seconds, "tokens/s", rival.name, faster),
        BenchRow(rival.name, n_tokens / theirs.seconds, "tokens/s"),
        BenchRow(_of_query(what), ours.usual_ms, "ms", _of_query(rival.name), sooner),
        BenchRow(_of_query(rival.name), theirs.usual_ms, "ms"),
    ]


def _without_rival(
    what: str, n_tokens: int, ours: _Measured, how: str
) -> list[BenchRow]:
    return [
        BenchRow(what, n_tokens / ours.seconds, "tokens/s"),
        BenchRow(how, None, "tokens/s"),
        BenchRow(_of_query(what), ours.usual_ms, "ms"),
    ]


def _of_query(what: str) -> str:
    return f"{what}: a query, p50"


def _encode_by_rival(texts: list[str], queries: list[str], rival: _Rival) -> _Measured:
    """Run sentence-transformers, warmed up alike."""
    os.environ |= {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    from sentence_transformers import SentenceTransformer

    options = {"dtype": rival.dtype, "attn_implementation": "sdpa"}
    model = SentenceTransformer(
        str(rival.model_dir),
        device=rival.device,
        local_files_only=True,
        model_kwargs=options if rival.dtype else None,
    )
    model.encode(texts[:_WARM_UP_TEXTS])
    start = time.perf_counter()
    model.encode(texts)
    return _Measured(time.perf_counter() - start, each_ms(queries, model.encode))
