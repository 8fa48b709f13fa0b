"""Numbers as a person says them."""

from __future__ import annotations

import time
from collections.abc import Iterable

GOES_ON = "The daemon goes on; pplx-local status tells how far."


def line_of(name: str, text: str) -> str:
    """Lay out a line of a status: a name, and what it is."""
    return f"{name:<8}{text}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Say `1 file`, `1,204 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def short_count(number: float) -> str:
    """Say `9,800`, `1.2M`."""
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return f"{number:,.0f}"


def size_in_words(size_bytes: float) -> str:
    """Say `12 kB`, `3.4 MB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= size:
            value = size_bytes / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{size_bytes:.0f} bytes"


def time_in_words(seconds: float) -> str:
    """Say `4 s`, `3 min`, `2 h 10 min`."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def age_in_words(moment_ns: int | None) -> str:
    """Say how long ago, or `never`."""
    if moment_ns is None:
        return "never"
    return f"{time_in_words(max(0.0, time.time() - moment_ns / 1e9))} ago"


def share_in_words(share: float) -> str:
    """Say `93 %`; only what is complete is 100 %."""
    return f"{min(int(share * 100), 99) if share < 1 else 100} %"


def counts_in_words(counts: Iterable[tuple[str, int]]) -> str:
    """Say `1,190 indexed, 4 failed`, leaving out what is none."""
    said = [f"{n:,} {name.replace('_', ' ')}" for name, n in counts if n]
    return ", ".join(said) or "none"
