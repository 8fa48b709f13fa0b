"""A checkpoint on this machine, held to figures that others published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pplx_local.config import Settings
from pplx_local.delivery.allowance import allowance_for
from pplx_local.delivery.measures import Finding, Golden, Subject, measure
from pplx_local.encoding import WorkerInfo
from pplx_local.index import WorkerFactory, spawn_worker
from pplx_local.models import (
    Checkpoint,
    find_or_refuse,
    load_tokenizer,
    verify,
    with_full_tokens,
)


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """What is checked, and where it runs."""

    checkpoint: Checkpoint
    model_dir: Path
    info: WorkerInfo
    findings: Iterator[Finding]
    """Each as it is measured."""


def goldens_of(checkpoint: Checkpoint) -> list[Golden]:
    """Read the figures that are known of a checkpoint; none for most."""
    path = files("pplx_local.models") / "data" / "golden" / f"{checkpoint.name}.json"
    if not path.is_file():
        return []
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    measures: list[Golden] = content["measures"]
    return measures


@contextmanager
def check(
    checkpoint: Checkpoint, settings: Settings, worker: WorkerFactory = spawn_worker
) -> Iterator[CheckedModel]:
    """Verify a checkpoint's files and measure it where the settings would run it.

    Args:
        checkpoint: Has to be on this machine.
        settings: Say where it lies, and on what it runs.
        worker: How encoder workers are made.

    Yields:
        What is checked; the encoder runs until the context ends.

    Raises:
        ModelError: It is not here, or a file is not what it should be.
        PplxLocalError: It cannot run here.
    """
    model_dir = find_or_refuse(checkpoint, settings.home)
    verify(checkpoint, model_dir)
    comparable = with_full_tokens(checkpoint)
    with closing(worker(comparable, model_dir, settings)) as encoder:
        info = encoder.info()
        subject = Subject(
            comparable,
            model_dir,
            load_tokenizer(model_dir),
            encoder,
            allowance_for(info.dtype),
        )
        findings = (measure(golden, subject) for golden in goldens_of(checkpoint))
        yield CheckedModel(checkpoint, model_dir, info, findings)
