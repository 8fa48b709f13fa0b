"""How fast this machine encodes, remembered from one update to the next survey."""

from __future__ import annotations

import contextlib
from pathlib import Path

_ENOUGH_TOKENS = 5_000
"""Fewer say more about start-up than about speed."""


def remember(home: Path, n_tokens: int, seconds: float) -> None:
    """Keep the speed of an update that was long enough to tell."""
    if n_tokens < _ENOUGH_TOKENS or seconds <= 0:
        return
    with contextlib.suppress(OSError):  # an estimate is not worth a failure
        (home / "speed").write_text(f"{n_tokens / seconds:.0f}\n")


def recall(home: Path) -> float | None:
    """Return tokens per second, or None when nothing was measured here."""
    try:
        return float((home / "speed").read_text()) or None
    except (OSError, ValueError):
        return None
