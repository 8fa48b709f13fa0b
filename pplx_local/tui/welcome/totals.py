"""What all chosen folders would mean together, and which model reads them, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import count, size_in_words, time_in_words
from pplx_local.wording.holding import NO_MODEL

if TYPE_CHECKING:
    from pplx_local.records import ModelRecord, Status, Survey

_NAMED = 2
_GAP = Content.styled("  ·  ", "$foreground-muted")


def total(surveys: Sequence[Survey | None]) -> Content:
    """Say what has to be read, how long it takes and what room; "…" while unknown."""
    known = [survey for survey in surveys if survey]
    if not known:
        return plain(count(len(surveys), "folder"), "bold")
    n_files = sum(kind.files for one in known for kind in one.kinds if not kind.skipped)
    needed = sum(one.estimated_disk_bytes for one in known)
    parts = [
        plain(count(n_files, "file") + " to read", "bold"),
        plain(_time(known)),
        _room(needed, known[0].free_disk_bytes),
    ]
    if len(known) < len(surveys):
        parts.append(plain("…", "$foreground-muted"))
    return _GAP.join(parts)


def _time(surveys: Sequence[Survey]) -> str:
    seconds = [one.estimated_seconds for one in surveys]
    if any(one is None for one in seconds):
        return "time not known yet"
    return f"about {time_in_words(sum(one or 0.0 for one in seconds))}"


def _room(needed: int, free: int) -> Content:
    said = f"{size_in_words(needed)} of {size_in_words(free)} free on the disk"
    return plain(said, "bold $text-error" if needed > free else "")


def model(status: Status | None, models: Sequence[ModelRecord]) -> Content:
    """Say what answers, and which better models there would be, at which size.

    Args:
        status: None before the daemon has answered.
        models: The preferred one first; empty before the daemon has listed them.
    """
    if status is None:
        return Content("")
    used = [one for one in models if one.used and one.path]
    names = dict.fromkeys(filter(None, status.profile.values()))
    named = plain(f"Model: {' + '.join(names) or NO_MODEL}")
    if used:
        size = size_in_words(sum(one.bytes for one in used))
        named += plain(f", {size}, here already", "$foreground-muted")
    if better := _better(models):
        named += _GAP + plain(f"F5 downloads {better}", "$foreground-muted")
    return named


def _better(models: Sequence[ModelRecord]) -> str:
    """Name the models that are preferred to the one in use, and are not here."""
    first_used = next((n for n, one in enumerate(models) if one.used), len(models))
    missing = [one for one in models[:first_used] if one.path is None][:_NAMED]
    named = [f"{one.name} ({size_in_words(one.bytes)})" for one in missing]
    return " or ".join(named)
