"""The slides of a presentation, as places in its text."""

from __future__ import annotations

from bisect import bisect_left

from pplx_local.documents.formats.format import MAX_SEGMENTS, label
from pplx_local.records import Segment, Span

_GAP = "\n\n"
_NOTES = "Notes"


class Deck:
    """Collects slides in order; those without a word are counted, and no places."""

    def __init__(self) -> None:
        self.n_chars = 0
        self.n_slides = 0
        self.title: str | None = None
        """Of the first slide that has one."""
        self.segments: list[Segment] = []
        self._starts: list[int] = []

    def add(self, title: str, text: str, notes: str) -> str:
        """Add a slide, and give its text as it stands in the document."""
        self.n_slides += 1
        shown = text + _GAP if text else ""
        spoken = notes + _GAP if notes else ""
        if not (shown or spoken):
            return ""
        start, middle = self.n_chars, self.n_chars + len(shown)
        self.n_chars = middle + len(spoken)
        self._starts.append(start)
        self._add("slide", str(self.n_slides), Span(start, self.n_chars))
        self._add("heading", label(title), Span(start, self.n_chars))
        self._add("heading", _NOTES if spoken else "", Span(middle, self.n_chars))
        self.title = self.title or label(title) or None
        return shown + spoken

    def starts(self, char_start: int, char_end: int) -> list[int]:
        """Give where slides begin in a span, counted from where it begins."""
        first = bisect_left(self._starts, char_start)
        last = bisect_left(self._starts, char_end)
        return [start - char_start for start in self._starts[first:last]]

    def _add(self, kind: str, words: str, char_span: Span) -> None:
        if words and len(self.segments) < MAX_SEGMENTS:
            self.segments.append(Segment(kind, words, char_span))
