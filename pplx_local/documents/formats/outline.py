"""Segments that nest and close each other, such as headings."""

from __future__ import annotations

from bisect import bisect_left

from pplx_local.documents.formats.format import MAX_SEGMENTS, label
from pplx_local.records import Segment, Span


class Outline:
    """Collects sections in order; each ends where an equal or higher one starts."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._starts: list[tuple[int, int, str]] = []

    def add(self, char_start: int, level: int, words: str) -> None:
        """Start a section; level 1 is the highest."""
        if len(self._starts) < MAX_SEGMENTS and words.strip():
            self._starts.append((char_start, level, label(words)))

    def starts(self, char_start: int, char_end: int) -> list[int]:
        """Give the starts that lie in a span, counted from where it begins."""
        first = bisect_left(self._starts, char_start, key=_start)
        last = bisect_left(self._starts, char_end, lo=first, key=_start)
        return [start - char_start for start, _, _ in self._starts[first:last]]

    def segments(self, n_chars: int) -> list[Segment]:
        """Close everything at the document's end, and give the sections by start."""
        ends = [n_chars] * len(self._starts)
        unclosed: list[int] = []
        for i, (start, level, _) in enumerate(self._starts):
            while unclosed and self._starts[unclosed[-1]][1] >= level:
                ends[unclosed.pop()] = start
            unclosed.append(i)
        return [
            Segment(self._kind, words, Span(start, end))
            for (start, _, words), end in zip(self._starts, ends, strict=True)
        ]


def _start(section: tuple[int, int, str]) -> int:
    return section[0]
