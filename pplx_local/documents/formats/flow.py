"""Text that comes in paragraphs: where one ends, what stands between two, which lead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pplx_local.documents.formats.outline import Outline
from pplx_local.records import Segment, Span

_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u00ad\ud800-\udfff]")

_PARAGRAPH, _LINE, _CELL = "\n\n", "\n", "\t"


@dataclass(slots=True)
class Paragraph:
    """One that is being collected."""

    parts: list[str] = field(default_factory=list)
    n_chars: int = 0
    level: int = 0
    """1 to 9 for a heading, 1 being the highest; 0 for any other."""
    is_line: bool = False
    """Whether it is one of several that are lines: of a list, of code."""
    page_starts: list[int] = field(default_factory=list)
    """Where pages begin, in its own text."""
    asides: list[Paragraph] = field(default_factory=list)
    """What is anchored in it and read after it: notes, comments, boxes."""

    def write(self, text: str) -> None:
        """Add a run of text."""
        fixed = clean(text)
        self.parts.append(fixed)
        self.n_chars += len(fixed)


class Flow:
    """Collects paragraphs, which may hang in others, and gives their text in order.

    Args:
        outline: Gets the headings.
        char_start: Where the text begins in the document.
    """

    def __init__(self, outline: Outline, char_start: int = 0) -> None:
        self.n_chars = char_start
        """Of the document, up to here."""
        self.page_starts: list[int] = []
        """Where pages begin, in the document."""
        self._outline = outline
        self._open: list[Paragraph] = []
        self._written: list[str] = []
        self._gap = ""
        """What comes before the next paragraph at least."""
        self._n_tables = 0
        self._cell_is_fresh = self._begins_page = False

    @property
    def paragraph(self) -> Paragraph | None:
        """The innermost that is open."""
        return self._open[-1] if self._open else None

    def open(self) -> None:
        """Begin a paragraph."""
        self._open.append(Paragraph())

    def write(self, text: str) -> None:
        """Go on with the paragraph; text outside of all is none of the document's."""
        if self._open:
            self._open[-1].write(text)

    def begin_page(self) -> None:
        """Note that a page begins here, or with the next paragraph."""
        if self._open:
            self._open[-1].page_starts.append(self._open[-1].n_chars)
        else:
            self._begins_page = True

    def add_aside(self, text: str) -> None:
        """Hang a finished text, such as a note, in the paragraph."""
        if self._open and text:
            self._open[-1].asides.append(_paragraph(text))

    def close(self) -> None:
        """End the paragraph, and write it unless another one holds it."""
        if not self._open:
            return
        closed = self._open.pop()
        if self._open:
            asides, closed.asides = closed.asides, []
            self._open[-1].asides += [closed, *asides]
            return
        for paragraph in (closed, *closed.asides):
            self._write(paragraph)

    def add(self, text: str, *, level: int = 0) -> None:
        """Write a whole paragraph."""
        if text:
            self._write(_paragraph(text, level))

    def open_table(self) -> None:
        """Begin a table, perhaps in a cell of another."""
        self.separate(_LINE if self._n_tables else _PARAGRAPH)
        self._n_tables += 1

    def open_row(self) -> None:
        """Begin a row: a line of its own."""
        self.separate(_LINE)

    def open_cell(self) -> None:
        """Begin a cell: behind a tab, unless it is the row's first."""
        self.separate(_CELL)
        self._cell_is_fresh = True

    def close_table(self) -> None:
        """End a table."""
        self._n_tables = max(self._n_tables - 1, 0)
        self._cell_is_fresh = False
        self.separate(_LINE if self._n_tables else _PARAGRAPH)

    def separate(self, gap: str) -> None:
        """Ask for at least this gap before the next paragraph; more lines win."""
        if (gap.count("\n"), gap) > (self._gap.count("\n"), self._gap):
            self._gap = gap

    def take(self) -> str:
        """Give what was written since the last time."""
        if not self._written:
            return ""
        text = "".join(self._written)
        self._written = []
        return text

    def _write(self, paragraph: Paragraph) -> None:
        text = "".join(paragraph.parts)
        trimmed = text.strip()
        if trimmed:
            self._lead(paragraph)
            self._begin_due_page()
        n_cut = len(text) - len(text.lstrip())
        for start in paragraph.page_starts:
            self.page_starts.append(self.n_chars + max(start - n_cut, 0))
        if not trimmed:
            return
        if paragraph.level:
            self._outline.add(self.n_chars, paragraph.level, trimmed)
        self._append(trimmed)
        if not self._n_tables:
            self.separate(_border(paragraph))

    def _lead(self, paragraph: Paragraph) -> None:
        """Write the gap in front of a paragraph."""
        if not self._cell_is_fresh:
            self.separate(_LINE if self._n_tables else _border(paragraph))
        self._cell_is_fresh = False
        if self.n_chars:
            self._append(self._gap)
        self._gap = ""

    def _begin_due_page(self) -> None:
        if self._begins_page:
            self.page_starts.append(self.n_chars)
        self._begins_page = False

    def _append(self, text: str) -> None:
        self._written.append(text)
        self.n_chars += len(text)


def clean(text: str) -> str:
    """Leave out controls, lone surrogates, and hyphens that show only at a line's end."""
    return _DROPPED.sub("", text)


def _border(paragraph: Paragraph) -> str:
    return _LINE if paragraph.is_line and not paragraph.level else _PARAGRAPH


def _paragraph(text: str, level: int = 0) -> Paragraph:
    paragraph = Paragraph(level=level)
    paragraph.write(text)
    return paragraph


def page_segments(starts: list[int], n_chars: int) -> list[Segment]:
    """Make the pages that begin at these places; the first is page 1."""
    ends = [*starts[1:], n_chars]
    return [
        Segment("page", str(number), Span(start, end))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        if start < end
    ]
