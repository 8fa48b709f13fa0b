"""EPUB: the text of a book in reading order, with its chapters as places."""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.books.book_contents import (
    Chapter,
    Contents,
    read_chapters,
    read_contents,
)
from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import MAX_SEGMENTS, About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.formats.office.ooxml import note_damage, silence
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.web.html_page import decode_page, read_markup
from pplx_local.documents.kinds import Kind
from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.errors import DocumentError
from pplx_local.records import Segment

_GAP = "\n\n"
_NO_LETTER = re.compile(r"[\W_]+")
_MAX_AUTHORS = 10


class Book:
    """A book, part by part."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._chapters = Outline("chapter")
        self._headings: list[Segment] = []
        self._starts: list[int] = []
        """Of chapters and headings, in order."""
        self._about = About()
        self._n_chars = 0

    def pieces(self) -> Iterator[str]:
        """Give the text of one part after the other, a blank line after each."""
        package = Package(self._source)
        contents = read_contents(package)
        self._note_facts(contents)
        chapters: defaultdict[str, list[Chapter]] = defaultdict(list)
        with contextlib.suppress(DocumentError):
            for chapter in read_chapters(package, contents):
                chapters[chapter.part].append(chapter)
        for part in contents.parts:
            yield self._part(_markup(package, part), chapters[part])
        note_damage(package, self._about)
        if not self._n_chars:
            raise silence(package)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the chapters and headings that start in a block."""
        first = bisect_left(self._starts, char_start)
        last = bisect_left(self._starts, char_start + len(text))
        return [start - char_start for start in self._starts[first:last]]

    def about(self, n_chars: int) -> About:
        """Give what the book states, its chapters, and headings that are no chapters."""
        chapters = self._chapters.segments(n_chars)
        known = {_letters(chapter.label) for chapter in chapters}
        others = [one for one in self._headings if _letters(one.label) not in known]
        segments = [*chapters, *others][:MAX_SEGMENTS]
        segments.sort(key=lambda one: (one.char_span.start, -one.char_span.end))
        self._about.segments = segments
        return self._about

    def _part(self, markup: str, chapters: list[Chapter]) -> str:
        outline = Outline("heading")
        anchors = {chapter.anchor: self._n_chars for chapter in chapters}
        text = read_markup(markup, outline, self._n_chars, anchors)
        if not text:
            return ""
        self._place(chapters, anchors)
        self._n_chars += len(text) + len(_GAP)
        headings = outline.segments(self._n_chars)
        self._headings += headings
        starts = {anchors[chapter.anchor] for chapter in chapters}
        self._starts += sorted(starts | {one.char_span.start for one in headings})
        return text + _GAP

    def _place(self, chapters: list[Chapter], anchors: dict[str, int]) -> None:
        """Note where chapters begin; those that share a place in the table's order."""
        for chapter in sorted(chapters, key=lambda one: anchors[one.anchor]):
            words = clean(chapter.words)
            self._chapters.add(anchors[chapter.anchor], chapter.level, words)

    def _note_facts(self, contents: Contents) -> None:
        facts = {
            name: [clean(text).strip() for text in texts]
            for name, texts in contents.facts.items()
        }
        titles = facts.get("dc:title", [])
        self._about.title = label(titles[0] if titles else "") or None
        authors = ", ".join(facts.get("dc:creator", [])[:_MAX_AUTHORS])
        if authors:
            self._about.metadata["author"] = label(authors)
        days = map(read_day, facts.get("dc:date", []))
        self._about.day = next(filter(None, days), None)
        languages = map(language_code, facts.get("dc:language", []))
        self._about.language = next(filter(None, languages), None)


def _markup(package: Package, part: str) -> str:
    """Decode a part; one that is damaged costs no other."""
    try:
        return decode_page(package.read(part))
    except DocumentError:
        package.damaged.append(part)
        return ""


def _letters(words: str) -> str:
    return _NO_LETTER.sub("", words).casefold()
