"""How fast this machine embeds, remembered from one update to the next estimate."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from pplx_local.models import Checkpoint

_ENOUGH_TOKENS = 5_000
"""Fewer say more about start-up than about speed."""


def remember(home: Path, checkpoint: Checkpoint, n_tokens: int, seconds: float) -> None:
    """Keep the speed of an update that was long enough to tell."""
    if n_tokens < _ENOUGH_TOKENS or seconds <= 0:
        return
    speeds = _read(home) | {checkpoint.name: round(n_tokens / seconds)}
    with contextlib.suppress(OSError):  # an estimate is not worth a failure
        _file(home).write_text(json.dumps(speeds) + "\n", encoding="utf-8")


def recall(home: Path, checkpoint: Checkpoint) -> float | None:
    """Return tokens per second, or None when nothing was measured here."""
    return _read(home).get(checkpoint.name) or None


def _read(home: Path) -> dict[str, float]:
    try:
        speeds = json.loads(_file(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(speeds, dict):
        return {}
    return {name: one for name, one in speeds.items() if isinstance(one, int | float)}


def _file(home: Path) -> Path:
    return home / "speed"
