"""PPTX: the words of each slide and of its notes, with the slides as places."""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections.abc import Iterator

from pplx_local.documents.formats.format import MAX_SEGMENTS, About
from pplx_local.documents.formats.ooxml import (
    main_part,
    note_core_facts,
    relations,
    silence,
)
from pplx_local.documents.formats.slide_text import SlideText
from pplx_local.documents.kinds import Kind
from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.documents.xml_events import Start, events
from pplx_local.errors import Unreadable
from pplx_local.records import Segment, Span

_GAP = "\n\n"
_NOTES = "Notes"


class Slides:
    """A presentation, slide by slide, hidden ones too."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._starts: list[int] = []
        self._segments: list[Segment] = []
        self._about = About()
        self._n_chars = 0

    def pieces(self) -> Iterator[str]:
        """Give the text of one slide after the other, and each one's notes after it."""
        package = Package(self._source)
        with contextlib.suppress(Unreadable):
            note_core_facts(package, self._about)
        parts = _slides(package)
        self._about.metadata["slides"] = str(len(parts))
        words = SlideText(package)
        for number, part in enumerate(parts, 1):
            yield self._slide(words, number, part)
        if not self._n_chars:
            raise silence(package)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the slides that start in a block."""
        first = bisect_left(self._starts, char_start)
        last = bisect_left(self._starts, char_start + len(text))
        return [start - char_start for start in self._starts[first:last]]

    def about(self, n_chars: int) -> About:
        """Give what the presentation states, and its slides."""
        self._about.segments = self._segments
        return self._about

    def _slide(self, words: SlideText, number: int, part: str) -> str:
        slide = words.read(part)
        shown = slide.text + _GAP if slide.text else ""
        notes = slide.notes + _GAP if slide.notes else ""
        if not (shown or notes):
            return ""
        start, middle = self._n_chars, self._n_chars + len(shown)
        self._n_chars = middle + len(notes)
        self._starts.append(start)
        self._add("slide", str(number), Span(start, self._n_chars))
        self._add("heading", slide.title, Span(start, self._n_chars))
        self._add("heading", _NOTES if notes else "", Span(middle, self._n_chars))
        self._about.title = self._about.title or slide.title or None
        return shown + notes

    def _add(self, kind: str, words: str, char_span: Span) -> None:
        if words and len(self._segments) < MAX_SEGMENTS:
            self._segments.append(Segment(kind, words, char_span))


def _slides(package: Package) -> list[str]:
    """Name the slides' parts in the order in which they are shown."""
    part = main_part(package, "ppt/presentation.xml")
    known = relations(package, part)
    ids = [
        event.attributes.get("r:id", "")
        for event in events(package.pieces(part))
        if isinstance(event, Start) and event.name == "p:sldId"
    ]
    return list(dict.fromkeys(known[id_].target for id_ in ids if id_ in known))
