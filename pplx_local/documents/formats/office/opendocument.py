"""ODT and ODP, packed or flat: headings, pages and slides as places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.flow import Flow, page_segments
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.formats.office.deck import Deck
from pplx_local.documents.formats.office.odf_parts import OdfParts
from pplx_local.documents.formats.office.odf_text import (
    Paragraphs,
    document_text,
    running_text,
)
from pplx_local.documents.formats.office.ooxml import note_names
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.documents.xml_events import Start, first_texts, inside
from pplx_local.errors import Unreadable

_FACTS = frozenset(
    [
        "dc:title",
        "dc:creator",
        "dc:language",
        "meta:initial-creator",
        "meta:creation-date",
    ]
)
_STYLES = "styles.xml"
_META = frozenset({"office:meta"})
_RUNNING = frozenset(
    f"style:{kind}{pages}"
    for kind in ("header", "footer")
    for pages in ("", "-first", "-left")
)


class OpenDocument:
    """A text or a presentation of LibreOffice and its relatives."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("heading")
        self._flow = Flow(self._outline)
        self._deck = Deck()
        self._about = About()
        self._n_pages = ""

    def pieces(self) -> Iterator[str]:
        """Give the text: paragraphs, then headers and footers; or slide by slide."""
        parts = OdfParts(self._source.read_all())
        with contextlib.suppress(Unreadable):
            self._note_facts(parts)
        paragraphs = Paragraphs(self._flow)
        yield from document_text(parts.read("content.xml"), paragraphs, self._deck)
        if self._flow.n_chars:
            yield self._running(parts)
        if not (self._flow.n_chars or self._deck.n_chars):
            raise parts.silence()
        title = label(paragraphs.first_heading) or self._deck.title
        self._about.title = self._about.title or title

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the headings or the slides that start in a block."""
        char_end = char_start + len(text)
        if self._deck.n_slides:
            return self._deck.starts(char_start, char_end)
        return self._outline.starts(char_start, char_end)

    def about(self, n_chars: int) -> About:
        """Give what the document states, its slides or headings, and pages if sure."""
        segments = self._deck.segments or self._outline.segments(n_chars)
        starts = self._flow.page_starts
        if starts and str(len(starts) + 1) == self._n_pages:
            segments += page_segments([0, *starts], n_chars)
            segments.sort(key=lambda one: (one.char_span.start, -one.char_span.end))
        if self._deck.n_slides:
            self._about.metadata["slides"] = str(self._deck.n_slides)
        self._about.segments = segments
        return self._about

    def _running(self, parts: OdfParts) -> str:
        """Give headers and footers, which the text can do without."""
        try:
            self._flow.add(running_text(parts.optional(_STYLES), _RUNNING))
        except Unreadable:
            self._about.metadata["damaged_parts"] = _STYLES
        return self._flow.take()

    def _note_facts(self, parts: OdfParts) -> None:
        facts = first_texts(inside(parts.optional("meta.xml"), _META), _FACTS)
        author = facts.get("meta:initial-creator") or facts.get("dc:creator", "")
        note_names(self._about, facts.get("dc:title", ""), author)
        self._about.day = read_day(facts.get("meta:creation-date", ""))
        self._about.language = language_code(facts.get("dc:language", ""))
        for event in inside(parts.optional("meta.xml"), _META):
            if isinstance(event, Start):
                counted = event.attributes.get("meta:page-count", "")
                self._n_pages = self._n_pages or counted
