"""What a format is: it reads one file, and says what it found out on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from pplx_local.records import Segment

MAX_SEGMENTS = 50_000
"""Further ones of a document are left out: its parts would no longer help anyone."""

MAX_LABEL_CHARS = 200


@dataclass(slots=True)
class About:
    """What a format finds out about a document besides its text."""

    title: str | None = None
    language: str | None = None
    segments: list[Segment] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    day: date | None = None


class Whole(Protocol):
    """All that a format needs of a source whose bytes it takes at once."""

    def read_all(self) -> bytes:
        """Read everything that is left."""


class Format(Protocol):
    """Reads one file of a format family; made anew for each file."""

    def pieces(self) -> Iterator[str]:
        """Give the fixed text of the file in pieces of any length.

        Raises:
            DocumentError: There is no text to be had from it.
        """

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find where headings, pages or definitions start: offsets into `text`.

        Called for each block in order, after the pieces it is made of were given.
        """

    def about(self, n_chars: int) -> About:
        """Say what was found; called after the last block."""


def label(words: str) -> str:
    """Make a segment's label of words from a file: one line, not too long."""
    line = " ".join(words.split())
    return line if len(line) <= MAX_LABEL_CHARS else line[: MAX_LABEL_CHARS - 1] + "…"
