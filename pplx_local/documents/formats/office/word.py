"""DOCX: the text as it is printed, with its headings and pages as places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pplx_local.documents.formats.flow import page_segments
from pplx_local.documents.formats.format import About
from pplx_local.documents.formats.office.ooxml import (
    main_part,
    note_core_facts,
    note_damage,
    relations,
    silence,
    stated,
)
from pplx_local.documents.formats.office.word_text import WordText
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.kinds import Kind
from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.errors import Unreadable

_APP_PART = "docProps/app.xml"
_PAGES = "ep:Pages"


class Word:
    """A document of Word: its headers, its text with the notes, its footers."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("heading")
        self._about = About()
        self._page_starts: list[int] = []
        self._n_pages = ""

    def pieces(self) -> Iterator[str]:
        """Give the text paragraph by paragraph."""
        package = Package(self._source)
        with contextlib.suppress(Unreadable):
            note_core_facts(package, self._about)
            facts = stated(package, _APP_PART, frozenset({_PAGES}))
            self._n_pages = facts.get(_PAGES, "")
        part = main_part(package, "word/document.xml")
        words = WordText(package, relations(package, part), self._outline)
        yield from words.running("header")
        yield from words.pieces(part)
        yield from words.running("footer")
        if not words.flow.n_chars:
            raise silence(package)
        note_damage(package, self._about)
        self._about.title = self._about.title or words.title
        self._page_starts = words.flow.page_starts

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the headings of a block."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give what the document states, its headings, and its pages if they are sure.

        Word notes where pages began when it last laid the document out. It can be
        believed where it has noted as many as it counted.
        """
        segments = self._outline.segments(n_chars)
        if self._page_starts and str(len(self._page_starts) + 1) == self._n_pages:
            segments += page_segments([0, *self._page_starts], n_chars)
            segments.sort(key=lambda one: (one.char_span.start, -one.char_span.end))
        self._about.segments = segments
        return self._about
