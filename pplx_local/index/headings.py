"""What stands above a passage: a chunk says more to a model below its headings."""

from __future__ import annotations

from collections import deque

from pplx_local.records import Document, Segment

_TELLING = frozenset({"heading", "chapter", "sheet", "message", "symbol"})
"""Kinds of places whose names say what is below them; the number of a page does not."""


class Headings:
    """The title and the headings of one document, asked from its start to its end."""

    def __init__(self, document: Document) -> None:
        """Take those of a document."""
        self._title = document.title
        self._ahead = deque(one for one in document.segments if one.kind in _TELLING)
        self._open: list[Segment] = []

    def above(self, char_start: int, text: str) -> str:
        """Name what a chunk lies under, the outermost first.

        Args:
            char_start: Of the chunk; it rises from call to call.
            text: Of the chunk. What it says itself is not said again.
        """
        while self._ahead and self._ahead[0].char_span.start < char_start:
            self._open.append(self._ahead.popleft())
        self._open = [one for one in self._open if one.char_span.end > char_start]
        labels = [self._title or "", *(one.label for one in self._open)]
        told = [label for label in dict.fromkeys(labels) if label and label not in text]
        return "".join(f"{label}. " for label in told)
