"""What all chosen folders would mean together, and which model reads them, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import count, size_in_words, time_in_words
from pplx_local.wording.holding import profile_in_words

if TYPE_CHECKING:
    from pplx_local.records import Status, Survey

_GAP = Content.styled("  ·  ", "$text-muted")


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
        parts.append(plain("…", "$text-muted"))
    return _GAP.join(parts)


def _time(surveys: Sequence[Survey]) -> str:
    seconds = [one.estimated_seconds for one in surveys]
    if any(one is None for one in seconds):
        return "time not known yet"
    return f"about {time_in_words(sum(one or 0.0 for one in seconds))}"


def _room(needed: int, free: int) -> Content:
    said = f"{size_in_words(needed)} of {size_in_words(free)} free on the disk"
    return plain(said, "bold $text-error" if needed > free else "")


def model(status: Status | None) -> Content:
    """Say what answers, and how there would be more."""
    if status is None:
        return Content("")
    named = plain(f"Model: {profile_in_words(status.profile)}")
    if any(status.profile.values()):
        return named + plain(", here already. Others, to download: F5", "$text-muted")
    return named + plain(". F5 downloads one; folders need not wait", "$text-warning")
