"""RTF: the words of a document out of its control words, with headings as places."""

from __future__ import annotations

from collections.abc import Iterator

from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.rtf.rtf_words import FIELDS
from pplx_local.documents.formats.rtf.rtf_writer import RtfWriter
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.errors import NoText, Unreadable

_MAX_HEADING_CHARS = 300


class Rtf:
    """The text of a document, its notes behind the paragraphs that they lie in."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("heading")
        self._about = About()

    def pieces(self) -> Iterator[str]:
        """Read the file, and give its paragraphs."""
        data = self._source.read_all()
        start = data.find(b"{\\rtf", 0, 1_000)
        if start < 0:
            raise Unreadable("damaged: no RTF in it")
        writer = RtfWriter()
        n_chars = 0
        is_blank = True
        for level, paragraph in writer.paragraphs(data[start:]):
            if level is not None and len(paragraph) <= _MAX_HEADING_CHARS:
                self._outline.add(n_chars, level + 1, paragraph)
            yield paragraph
            n_chars += len(paragraph)
            is_blank = is_blank and not paragraph.strip()
        if is_blank and writer.n_pictures:
            raise NoText("nothing but pictures: a scan?")
        self._note(writer)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the headings of a block."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give title, author, day and headings."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _note(self, writer: RtfWriter) -> None:
        stated = {name: label(writer.said(name)) for name in FIELDS}
        title = stated.pop("title")
        self._about.title = title if any(map(str.isalnum, title)) else None
        self._about.metadata = {name: words for name, words in stated.items() if words}
        self._about.day = writer.created()
