"""PDF: the text of each page as prose, with pages and bookmarks as places."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from pplx_local.documents.blocks import WORKING
from pplx_local.documents.formats.format import MAX_SEGMENTS, About, Whole
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.pdf.bookmarks import Bookmark, bookmarks_of, line_of
from pplx_local.documents.formats.pdf.facts import note_facts
from pplx_local.documents.formats.pdf.margins import without_margins
from pplx_local.documents.formats.pdf.opening import opened
from pplx_local.documents.formats.pdf.pages import Page, pages_of
from pplx_local.documents.formats.pdf.prose import Vocabulary, prose
from pplx_local.documents.kinds import Kind
from pplx_local.documents.recognizers import how_to_get, recognizer
from pplx_local.errors import NoText
from pplx_local.records import Segment, Span


class Pdf:
    """The text layer, page by page."""

    def __init__(self, source: Whole, kind: Kind) -> None:
        self._source = source
        self._picture_s = kind.picture_s if recognizer() else 0.0
        self._about = About()
        self._outline = Outline("heading")
        self._pages: list[Segment] = []
        self._page_starts: list[int] = []
        self._words = Vocabulary()
        self._n_chars = 0

    def pieces(self) -> Iterator[str]:
        """Give the text of one page after the other, a blank line after each."""
        data = self._source.read_all()
        document = opened(data)
        note_facts(self._about, document, data)
        del data
        bookmarks = bookmarks_of(document)
        waiting: list[Bookmark] = []
        silent: list[int] = []
        n_recognized = 0
        read = self._learnt(pages_of(document, self._picture_s))
        for number, page in enumerate(without_margins(read), 1):
            waiting += bookmarks.get(number - 1, ())
            if text := self._written(number, page, waiting):
                waiting = []
                yield text
            elif not page.has_text:
                silent.append(number)
            if page.is_picture:
                n_recognized += page.has_text
                yield WORKING
        self._note_pages(len(document), silent, n_recognized)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the pages and headings that start in a block."""
        first = bisect_left(self._page_starts, char_start)
        last = bisect_left(self._page_starts, char_start + len(text))
        pages = (start - char_start for start in self._page_starts[first:last])
        headings = self._outline.starts(char_start, char_start + len(text))
        return sorted({*pages, *headings})

    def about(self, n_chars: int) -> About:
        """Give what the file states, its pages and its outline."""
        segments = self._pages + self._outline.segments(n_chars)
        full = (one for one in segments if one.char_span.start < one.char_span.end)
        self._about.segments = sorted(full, key=_outer_first)
        return self._about

    def _learnt(self, pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            self._words.learn(page.lines)
            yield page

    def _written(self, number: int, page: Page, bookmarks: list[Bookmark]) -> str:
        """Write a page, and note where it and its headings are."""
        body = prose(page.lines, self._words)
        parts = [part for part in (body.text, "\n".join(page.notes)) if part]
        if not parts:
            return ""
        starts = body.starts or (0,)
        headings = [(starts[line_of(one, page.lines)], one) for one in bookmarks]
        for start, one in sorted(headings, key=lambda heading: heading[0]):
            self._outline.add(self._n_chars + start, one.level, one.title)
        text = "\n\n".join(parts) + "\n\n"
        self._add_page(number, len(text))
        return text

    def _add_page(self, number: int, n_chars: int) -> None:
        span = Span(self._n_chars, self._n_chars + n_chars)
        self._n_chars = span.end
        self._page_starts.append(span.start)
        if len(self._pages) < MAX_SEGMENTS:
            self._pages.append(Segment("page", str(number), span))

    def _note_pages(self, n_pages: int, silent: list[int], n_recognized: int) -> None:
        if not self._n_chars:
            raise NoText(_without_text(n_pages, looked=self._picture_s > 0))
        self._about.metadata["pages"] = str(n_pages)
        if silent:
            told = f"{len(silent):,} of {n_pages:,}: {_ranges(silent)}"
            self._about.metadata["pages_without_text"] = told
        if n_recognized:
            self._about.metadata["pages_read_by_ocr"] = f"{n_recognized:,}"


def _outer_first(segment: Segment) -> tuple[int, int]:
    return segment.char_span.start, -segment.char_span.end


def _without_text(n_pages: int, *, looked: bool) -> str:
    if n_pages == 0:
        return "no pages"
    pages = "1 page" if n_pages == 1 else f"{n_pages:,} pages"
    if looked:
        return f"{pages} without a text layer, and text recognition found none"
    if recognizer():
        return f"{pages} without a text layer: a scan? The setting ocr reads those"
    return f"{pages} without a text layer: a scan? To read it, {how_to_get()}"


def _ranges(numbers: list[int]) -> str:
    """Write rising numbers as a person would: "1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
