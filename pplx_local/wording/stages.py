"""How far a piece of work has come, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pplx_local.wording.amounts import count, short_count

if TYPE_CHECKING:
    from pplx_local.records import Progress, Stage

STAGES: dict[Stage, str] = {
    "scan": "looking through",
    "read": "reading",
    "load": "loading the model",
    "encode": "embedding",
    "search": "asking",
}


def stage_in_words(progress: Progress) -> str:
    """Say `reading`, `embedding`."""
    return STAGES[progress.stage]


def amount(progress: Progress) -> str:
    """Say `120 of 400 files`, `1.2M of 4.0M tokens`."""
    if progress.stage == "load":
        return ""
    if progress.stage == "encode":
        total = "" if progress.total is None else f" of {short_count(progress.total)}"
        return f"{short_count(progress.done)}{total} tokens"
    one, many = ("query", "queries") if progress.stage == "search" else ("file", None)
    if progress.total is None:
        return count(progress.done, one, many)
    return f"{progress.done:,} of {count(progress.total, one, many)}"
