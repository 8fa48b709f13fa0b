"""A real text on every backend and device: how fast, how large, and how alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pplx_local.backend import open_backend, registered_backends
from pplx_local.backend.pooling import n_pooled
from pplx_local.config import Settings
from pplx_local.doctor.check import Check
from pplx_local.encoding import EncoderWorker, WorkerInfo
from pplx_local.errors import PplxLocalError
from pplx_local.index import WorkerFactory
from pplx_local.models import Checkpoint
from pplx_local.records import Encoded, WindowPlan
from pplx_local.search.exhaustive import ROOM

_SENTENCES: Final = (
    "The lease ends on the last day of September unless both sides renew it. ",
    "Glaciers carve valleys into a U shape, while rivers cut narrower ones. ",
    "def area(radius: float) -> float: return 3.14159 * radius**2  # of a circle ",
    "Der Teig muss über Nacht ruhen, sonst geht das Brot nicht auf. ",
)
_LONG: Final = 12
"""Sentences in a text: about as long as a passage."""
_SECONDS: Final = 3.0
"""About how long a device is timed for."""
_MOST_ROUNDS: Final = 64
"""Of all sentences, however fast the device is."""
_PASSAGE_TOKENS: Final = 256
"""Of a passage, more than most have."""
_LEAST_COSINE: Final = {"float32": 1 - 1e-4, "bfloat16": 0.999}
"""Between codes of two devices that both work, in the coarser of their precisions;
quantised weights are further off by choice."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one backend on one device made of the texts."""

    name: str
    info: WorkerInfo
    codes: NDArray[np.float32]
    """(C, D) Of the dense vectors, or of the token vectors without such."""


def encoders(
    checkpoint: Checkpoint, model_dir: Path, settings: Settings, worker: WorkerFactory
) -> Iterator[Check]:
    """Encode on each device that the settings allow, and compare what comes out."""
    samples: list[Sample] = []
    for backend in _backends(settings):
        try:
            devices = _devices(backend, settings)
        except PplxLocalError as error:
            needed = settings.backend == backend or len(_backends(settings)) == 1
            yield Check(f"backend {backend}", "fail" if needed else "warn", str(error))
            continue
        for device in devices:
            there = replace(settings, backend=backend, device=device)
            name = f"backend {backend} {device}"
            try:
                encoder = worker(checkpoint, model_dir, there)
                sample, check = _measure(name, encoder, _passage_bytes(checkpoint))
            except PplxLocalError as error:
                yield Check(name, "fail", str(error))
                continue
            samples.append(sample)
            yield check
    if len(samples) > 1:
        yield _compare(samples)


def _backends(settings: Settings) -> list[str]:
    if settings.backend != "auto":
        return [settings.backend]
    return sorted(registered_backends())


def _devices(backend: str, settings: Settings) -> list[str]:
    """List what is to be tried: the device that was asked for, or all."""
    here = open_backend(backend).devices()
    return here if settings.device == "auto" else [settings.device]


def _passage_bytes(checkpoint: Checkpoint) -> int:
    """Estimate what the token vectors of a passage take; 0 where there are none."""
    if "late" not in checkpoint.roles:
        return 0
    in_bits = checkpoint.token_encoding == "bits"
    width = checkpoint.token_dim // 8 if in_bits else checkpoint.token_dim + 4
    return width * n_pooled(_PASSAGE_TOKENS, checkpoint.token_pooling)


def _measure(
    name: str, encoder: EncoderWorker, passage_bytes: int
) -> tuple[Sample, Check]:
    with closing(encoder):
        info = encoder.info()
        texts = [sentence * _LONG for sentence in _SENTENCES]
        plans = [encoder.plan([text]).result()[0] for text in texts]
        _seconds(encoder, plans)  # the first time warms up
        n_rounds = int(_SECONDS / max(_seconds(encoder, plans), 1e-3))
        timed = plans * min(max(n_rounds, 1), _MOST_ROUNDS)
        seconds = _seconds(encoder, timed)
        codes = _codes(encoder.encode(plans).result())
        memory = encoder.memory_bytes()
        free = ROOM * encoder.free_bytes()
    rate = sum(plan.n_tokens for plan in timed) / max(seconds, 1e-9)
    detail = (
        f"{rate:,.0f} tokens/s in {info.dtype}, {memory / 1e9:.2f} GB of memory, "
        f"ready after {info.load_s:.1f} s"
    )
    if passage_bytes:
        detail += f"; `exhaustive` has room for {free / passage_bytes:,.0f} passages"
    return Sample(name, info, codes), Check(name, "ok", detail)


def _seconds(encoder: EncoderWorker, plans: list[WindowPlan]) -> float:
    start = time.perf_counter()
    encoder.encode(plans).result()
    return time.perf_counter() - start


def _codes(encoded: Encoded) -> NDArray[np.float32]:
    if encoded.dense:
        return encoded.dense.codes.astype(np.float32)
    assert encoded.tokens, "a checkpoint serves a role"
    bits = np.unpackbits(encoded.tokens.codes.view(np.uint8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def _compare(samples: list[Sample]) -> Check:
    """Hold each to the first, in the coarser precision of the two."""
    first, *others = samples
    apart = max(float(np.abs(one.codes - first.codes).max()) for one in others)
    cosines = {one.name: _least_cosine(one.codes, first.codes) for one in others}
    wrong = [
        one.name
        for one in others
        if cosines[one.name] < min(_bound(first.info), _bound(one.info))
    ]
    detail = (
        f"{len(samples)} devices: codes at most {apart:.0f} apart, cosine at least "
        f"{min(cosines.values()):.6f}"
    )
    if not wrong:
        return Check("agreement", "ok", detail)
    remedy = (
        f"{', '.join(wrong)} and {first.name} do not compute the same. Choose the one "
        "that you trust by `backend` and `device` in config.toml."
    )
    return Check("agreement", "fail", detail, remedy)


def _bound(info: WorkerInfo) -> float:
    return _LEAST_COSINE.get(info.dtype, 0.98)


def _least_cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / np.maximum(norms, 1e-30)).min())
