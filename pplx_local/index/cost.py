"""What embedding costs in time, memory and disk: estimates, from rates seen before."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.index.lanes import CHARS_PER_TOKEN
from pplx_local.index.speed import recall
from pplx_local.models import Checkpoint
from pplx_local.records import Role
from pplx_local.reference import MEAN_LEVELS
from pplx_local.window.cuts import SHORTEST_CORE

_TOKENS_PER_CHUNK = 180
"""About 120 words: measured on 500 files of many kinds."""
_POSITION_BYTES = 2
"""Kept with each token vector, to lead back to its word."""
_SCALE_BYTES = 4
"""Of a token vector in int8."""
_BESIDE_WEIGHTS_BYTES = 1_000_000_000
"""Framework, batches and the index: measured with a model of 45 MB."""


def tokens_in(n_chars: float) -> int:
    """Estimate the tokens of a text."""
    return int(n_chars / CHARS_PER_TOKEN)


def tokens_read(checkpoint: Checkpoint, lengths: Iterable[float]) -> int:
    """Estimate the tokens that go through a model: more than the text has.

    Documents that are longer than a contextual checkpoint's window are read in several,
    and neighbours share what lies at their border. Measured: windows of 8,192 tokens
    read novels 1.39 times and papers 1.33 times, for which this says 1.41 and 1.32;
    windows of 2,048 read them 1.34 and 1.30 times (1.36 and 1.34).

    Args:
        checkpoint: Whose windows they are.
        lengths: Of the documents, in characters.
    """
    rule = checkpoint.window_rule
    shared = max(0, rule.shared - _TOKENS_PER_CHUNK / 2)  # whole chunks only
    # A core ends anywhere between its shortest and its longest.
    core = (1 + SHORTEST_CORE) / 2 * (rule.limit - rule.shared)
    tokens = (n_chars / CHARS_PER_TOKEN for n_chars in lengths)
    return int(
        sum(n if n <= rule.limit else n + shared * (n / core - 1) for n in tokens)
    )


def bytes_per_token(checkpoint: Checkpoint, role: Role) -> float:
    """Estimate the disk that a token's vectors take; a chunk's vector is shared out."""
    if role == "dense":
        levels = 3 if checkpoint.bits_rule == "three_thresholds" else 1
        return checkpoint.dim * (1 + levels / 8) / _TOKENS_PER_CHUNK
    if checkpoint.token_encoding == "bits":
        per_vector = checkpoint.token_dim / 8 + _POSITION_BYTES
    else:
        per_vector = checkpoint.token_dim + _SCALE_BYTES + _POSITION_BYTES
    shortlist = 0.0
    if "dense" not in checkpoint.roles:
        shortlist = checkpoint.token_dim * (1 + MEAN_LEVELS / 8) / _TOKENS_PER_CHUNK
    return per_vector / checkpoint.token_pooling + shortlist


def seconds_for(tokens: Mapping[Checkpoint, int], home: Path) -> float | None:
    """Estimate how long embedding takes; None where a speed is not known yet."""
    seconds = 0.0
    for checkpoint, n_tokens in tokens.items():
        speed = recall(home, checkpoint)
        if speed is None:
            return None
        seconds += n_tokens / speed
    return seconds


def memory_for(checkpoint: Checkpoint, settings: Settings) -> tuple[int, int]:
    """Estimate the bytes of memory that embedding takes.

    Returns:
        Where bfloat16 is computed, and where it is not; the same where the settings
        name the precision.
    """
    in_bf16, in_fp32 = (
        checkpoint.n_parameters * width + _BESIDE_WEIGHTS_BYTES for width in (2, 4)
    )
    if settings.dtype == "auto":
        return in_bf16, in_fp32
    named = in_fp32 if settings.dtype == "float32" else in_bf16
    return named, named


def free_disk(home: Path) -> int:
    """Measure the room where a home lies, or will lie, in bytes."""
    place = next(path for path in (home, *home.parents) if path.exists())
    return shutil.disk_usage(place).free
