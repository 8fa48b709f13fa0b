"""MaxSim and the encoder on a GPU, beside its limits and beside others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from pplx_local.backend import open_backend
from pplx_local.backend.architecture import read_architecture
from pplx_local.backend.timing import Measurable, Timing, Unit, Workload
from pplx_local.bench.encode import measure_encode, seconds_of
from pplx_local.bench.material import checkpoints_of, chunk_texts, documents_folder
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.bench.timing import each_ms, percentiles
from pplx_local.config import Settings
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import BackendUnavailable, PplxLocalError
from pplx_local.index import WorkerFactory, spawn_worker
from pplx_local.models import Checkpoint, profile_of
from pplx_local.records import TokenVectors

_NAME = "bench"
_KEPT_AT_ONCE = 50_000
_K = 150
_QUERIES = 40
_QUESTION = "what does the keeper of a lighthouse count at dawn in the winter of year"
_FUSED = ("int8, fused", "bits, fused")
_UNFUSED = ("bfloat16, plain torch", "bfloat16, torch.compile", "bfloat16, PyLate")
_RIVAL_DTYPE = "bfloat16"
_ROOM = 0.4
"""Of the memory that is free: what is compared takes some too."""


def measure_cuda(
    settings: Settings,
    folder: Path | None = None,
    work: Workload | None = None,
    *,
    worker: WorkerFactory = spawn_worker,
    device: str | None = None,
) -> BenchResult:
    """Time each kernel and the encoder, as shares of what the device can do.

    Args:
        settings: Model, backend and limits.
        folder: Texts for the encoder; None for prose that Python brings.
        work: Of the kernels; as much of it is done as fits.
        worker: How encoder workers are made.
        device: None for the first GPU.

    Raises:
        BackendUnavailable: No GPU is here, or torch cannot use it.
    """
    torch = open_backend("torch")
    on = device or _first_gpu(torch.devices())
    fitting = _fitting(work or Workload(), torch.free_bytes(on))
    backend = cast("Measurable", torch)
    timings = list(backend.measure_maxsim(on, fitting))
    rows = [BenchRow(_in_words(fitting), fitting.n_chunks, "chunks"), *rows_of(timings)]
    there = replace(settings, backend="torch", device=on.split(":")[0], dtype="auto")
    if any(profile_of(settings)):
        rate = _rates(timings)["bfloat16"]
        encoders = _Encoders(there, folder, worker, backend, on, rate, fitting)
        rows += encoders.rows()
    else:
        rows.append(BenchRow("the encoder: there is no model to measure", None, ""))
    return BenchResult("cuda", f"{backend.device_name(on)}; {machine()}", tuple(rows))


def _first_gpu(devices: Sequence[str]) -> str:
    for device in devices:
        if device.startswith("cuda"):
            return device
    raise BackendUnavailable(
        "There is no NVIDIA GPU here that torch can use, so nothing was measured. Run "
        "pplx-local bench cuda on a computer that has one, with a torch built for CUDA: "
        "pip install torch, from PyPI on Linux, and a driver that nvidia-smi shows."
    )


def _fitting(work: Workload, free_bytes: int) -> Workload:
    """Take fewer chunks where memory is short; bfloat16 takes the most of it."""
    n_chunks = int(_ROOM * free_bytes / (2 * work.n_tokens * work.dim))
    return work._replace(n_chunks=max(1, min(work.n_chunks, n_chunks)))


def _in_words(work: Workload) -> str:
    rows = f"chunks of {work.n_tokens} tokens, {work.dim} dimensions"
    return f"{rows}, query of {work.n_query}"


# --- kernels -----------------------------------------------------------------


def rows_of(timings: Sequence[Timing]) -> Iterator[BenchRow]:
    """Give the rows of timings, of which the first are the device's limits."""
    rates, by_what = _rates(timings), {one.what: one for one in timings}
    for one in timings:
        # It is missing where ours gives other scores, and bears another name.
        other = by_what[one.against].ms if one.against in by_what else None
        # Above 1 where the others take longer than what they are compared with.
        ratio = other / one.ms if other and one.ms else None
        yield BenchRow(one.what, one.ms, "ms", one.against if ratio else None, ratio)
        if one.ms and one.n_operations and not one.against:
            yield from _shares(one, one.ms, rates)
    yield from _beside_unfused(by_what)


def _beside_unfused(by_what: Mapping[str, Timing]) -> Iterator[BenchRow]:
    """Say how many times faster ours are than what writes its products to memory."""
    found = [by_what[what].ms for what in _UNFUSED if what in by_what]
    best = min(filter(None, found), default=None)
    for what in _FUSED:
        ours = by_what[what].ms if what in by_what else None
        if ours and best:
            how = f"{what}: times the speed of the best unfused in bfloat16"
            yield BenchRow(how, best / ours, "times")


def _rates(timings: Sequence[Timing]) -> dict[Unit, float]:
    """Give what was reached by copies (bytes) and by large products, in a ms."""
    rates: dict[Unit, float] = {}
    for one in timings:
        if one.unit not in rates and one.ms:
            amount = one.n_bytes if one.unit == "copy" else one.n_operations
            rates[one.unit] = amount / one.ms
    return rates


def _shares(one: Timing, ms: float, rates: Mapping[Unit, float]) -> Iterator[BenchRow]:
    """Say how near a timing comes to each limit, and to the one that binds."""
    copies = one.n_bytes / rates["copy"] / ms
    products = one.n_operations / rates[one.unit] / ms
    yield BenchRow(f"{one.what}: bytes", one.n_bytes / 1e9, "GB")
    yield BenchRow(f"{one.what}: operations", one.n_operations / 1e12, "T")
    yield BenchRow(f"{one.what}: of the copies' rate", 100 * copies, "%")
    yield BenchRow(f"{one.what}: of the products' rate", 100 * products, "%")
    yield BenchRow(f"{one.what}: of the roofline", 100 * max(copies, products), "%")


# --- the encoder -------------------------------------------------------------


def exhaustive_rows(
    encoder: EncoderWorker, checkpoint: Checkpoint, work: Workload
) -> Iterator[BenchRow]:
    """Time queries from words to the best of all chunks, through the worker.

    Args:
        encoder: Keeps made-up chunks, and encodes queries.
        checkpoint: Of the encoder, one that makes token vectors.
        work: How many chunks, of how many tokens.
    """
    n_chunks = f"{work.n_chunks:,} chunks"
    try:
        _keep_made_up(encoder, checkpoint, work)
    except PplxLocalError as error:
        yield BenchRow(f"{n_chunks} are not searched: {error}", None, "ms")
        return

    def ask(text: str) -> None:
        tokens = encoder.query(text).tokens
        assert tokens, "the checkpoint makes token vectors"
        encoder.best(_NAME, work.n_chunks, tokens, _K)

    took = each_ms([f"{_QUESTION} {number}" for number in range(_QUERIES)], ask)
    yield from percentiles("query encoded, and all scored", n_chunks, took)


def _keep_made_up(
    encoder: EncoderWorker, checkpoint: Checkpoint, work: Workload
) -> None:
    for first in range(0, work.n_chunks, _KEPT_AT_ONCE):
        ids = range(first, min(first + _KEPT_AT_ONCE, work.n_chunks))
        made = _made_up(checkpoint, len(ids), work.n_tokens)
        encoder.keep(_NAME, ids, made).result()


def _made_up(checkpoint: Checkpoint, n_chunks: int, n_tokens: int) -> TokenVectors:
    random = np.random.default_rng(n_chunks)
    n_rows, dim = n_chunks * n_tokens, checkpoint.token_dim
    in_bits = checkpoint.token_encoding == "bits"
    octets = random.integers(0, 256, (n_rows, dim // 8 if in_bits else dim), np.uint8)
    return TokenVectors(
        checkpoint.token_encoding,
        octets if in_bits else octets.view(np.int8),
        None if in_bits else np.ones(n_rows, dtype=np.float32),
        np.zeros(n_rows, dtype=np.int32),
        np.arange(0, n_rows + 1, n_tokens, dtype=np.int32),
    )


@dataclass(frozen=True, slots=True)
class _Encoders:
    """The checkpoints of the settings on one device."""

    settings: Settings
    folder: Path | None
    """With texts; None for prose that Python brings."""
    worker: WorkerFactory
    backend: Measurable
    """Runs a checkpoint as transformers does."""
    device: str
    rate: float
    """Operations of large products in a ms."""
    work: Workload
    """What is searched exhaustively."""

    def rows(self) -> Iterator[BenchRow]:
        """Compare with transformers on the same windows, and sentence-transformers."""
        with documents_folder(self.folder) as place:
            documents = chunk_texts(place, self.settings)
        found = checkpoints_of(profile_of(self.settings), self.settings)
        for checkpoint, model_dir in found.items():
            yield from self._rows_of(checkpoint, model_dir, documents)
        yield from measure_encode(
            self.settings, self.folder, worker=self.worker, rival_dtype=_RIVAL_DTYPE
        ).rows

    def _rows_of(
        self, checkpoint: Checkpoint, model_dir: Path, documents: list[list[str]]
    ) -> Iterator[BenchRow]:
        with self.worker(checkpoint, model_dir, self.settings) as encoder:
            plans = [one for texts in documents for one in encoder.plan(texts).result()]
            seconds = seconds_of(encoder, plans)
            if "late" in checkpoint.roles:
                yield from exhaustive_rows(encoder, checkpoint, self.work)
        lengths = [len(window.token_ids) for plan in plans for window in plan.windows]
        most = self.settings.max_batch_tokens
        stock = self.backend.measure_stock(model_dir, self.device, lengths, most)
        n_tokens, name = sum(lengths), checkpoint.name
        ours, theirs = f"{name}, unpadded", f"{name}, transformers with SDPA, padded"
        yield BenchRow(ours, n_tokens / seconds, "tokens/s", theirs, stock / seconds)
        yield BenchRow(theirs, n_tokens / stock, "tokens/s")
        n_operations = 2 * _n_multiplied(checkpoint, model_dir) * n_tokens
        share = 100 * n_operations / (1000 * seconds * self.rate)
        yield BenchRow(f"{ours}: of the products' rate", share, "%")


def _n_multiplied(checkpoint: Checkpoint, model_dir: Path) -> int:
    """Count the weights that each token is multiplied with: not the embedding's."""
    architecture = read_architecture(model_dir)
    return checkpoint.n_parameters - architecture.vocab_size * architecture.hidden_size
