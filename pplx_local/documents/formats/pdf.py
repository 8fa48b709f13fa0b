"""PDF: the text of each page, with the pages as places."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date

import pypdfium2 as pdfium

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.format import MAX_SEGMENTS, About, label
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.errors import NoText, Unreadable, Unsupported
from pplx_local.records import Segment, Span

_PASSWORD = 4
_SECURITY = 5
_HEADER_BYTES = 1024
"""pdfium passes over so much junk in front by itself."""

_MAX_DAMAGED_RUN = 100
"""So many pages in a row that cannot be opened are pages that are not there."""

# pdfium marks a hyphen at a line's end by U+FFFE or U+0002, and joins the lines.
_LINE_END_HYPHEN = re.compile("[\x02\ufffe]\n?|\u00ad\n?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_NO_TITLE = re.compile(
    r"untitled|microsoft (word|powerpoint|excel) - |slide 1$|.*\.\w{2,5}$|\W*$",
    re.IGNORECASE,
)


class Pdf:
    """The text layer, page by page."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._starts: list[int] = []
        self._segments: list[Segment] = []
        self._about = About()

    def pieces(self) -> Iterator[str]:
        """Give the text of one page after the other, a blank line after each."""
        document = self._open()
        n_pages = len(document)
        self._about.title = _title(document)
        self._about.day = _day(document)
        self._about.metadata["pages"] = str(n_pages)
        n_chars = n_silent = 0
        for number, page_text in enumerate(_page_texts(document), 1):
            if not page_text:
                n_silent += 1
                continue
            text = page_text + "\n\n"
            self._add_page(number, Span(n_chars, n_chars + len(text)))
            n_chars += len(text)
            yield text
        if not n_chars:
            raise NoText(_without_text(n_pages))
        if n_silent:
            self._about.metadata["pages_without_text"] = str(n_silent)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the pages that start in a block."""
        first = bisect_left(self._starts, char_start)
        last = bisect_left(self._starts, char_start + len(text))
        return [start - char_start for start in self._starts[first:last]]

    def about(self, n_chars: int) -> About:
        """Give title and pages."""
        self._about.segments = self._segments
        return self._about

    def _add_page(self, number: int, char_span: Span) -> None:
        self._starts.append(char_span.start)
        if len(self._segments) < MAX_SEGMENTS:
            self._segments.append(Segment("page", str(number), char_span))

    def _open(self) -> pdfium.PdfDocument:
        data = self._source.read_all()
        header = data.find(b"%PDF-")
        if header < 0:
            raise Unsupported("not a PDF, in spite of its name")
        if header >= _HEADER_BYTES:
            data = data[header:]
        try:
            return pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            raise _refusal(error, data) from error


def _refusal(error: pdfium.PdfiumError, data: bytes) -> Unreadable:
    # pdfium can leave the error of an earlier file standing, so look at this one too.
    if b"/Encrypt" not in data:
        return Unreadable("damaged: its pages cannot be found")
    if error.err_code == _PASSWORD:
        return Unreadable("encrypted: it needs a password")
    if error.err_code == _SECURITY:
        return Unreadable("encrypted in a way that is not supported")
    return Unreadable("damaged: its pages cannot be found")


def _page_texts(document: pdfium.PdfDocument) -> Iterator[str]:
    """Give each page's text; empty where it has none or cannot be opened."""
    damaged_run = 0
    for index in range(len(document)):
        try:
            page = document[index]
            page_text = page.get_textpage()
            text = page_text.get_text_range()
        except pdfium.PdfiumError:
            damaged_run += 1
            if damaged_run >= _MAX_DAMAGED_RUN:
                return
            yield ""
            continue
        damaged_run = 0
        page_text.close()
        page.close()
        yield _mended(text)


def _mended(text: str) -> str:
    """Fix a page's text: line ends, hyphens of broken words, controls."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _LINE_END_HYPHEN.sub("", text)
    return _CONTROLS.sub("", text).strip()


def _title(document: pdfium.PdfDocument) -> str | None:
    """Take the title that the file states, unless a program made it up."""
    title = _CONTROLS.sub("", _stated(document, "Title"))
    return None if _NO_TITLE.match(title) else label(title)


def _day(document: pdfium.PdfDocument) -> date | None:
    """Take the day on which the file says it was made, or else changed."""
    stated = (_stated(document, key) for key in ("CreationDate", "ModDate"))
    return next(filter(None, map(read_day, stated)), None)


def _stated(document: pdfium.PdfDocument, key: str) -> str:
    try:
        return str(document.get_metadata_value(key)).strip()
    except pdfium.PdfiumError:
        return ""


def _without_text(n_pages: int) -> str:
    if n_pages == 0:
        return "no pages"
    pages = "1 page" if n_pages == 1 else f"{n_pages:,} pages"
    return f"{pages} without a text layer: a scan?"
