"""The part of a document that is at hand: stretches of its text that follow each other.

Nothing here knows of a screen, and all of it may run on a thread.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from pplx_local.answer import Extract, Place, Span
from pplx_local.tui.rendering.line import Line
from pplx_local.tui.rendering.render import has_numbers, render, sketch
from pplx_local.tui.rendering.wrap import Row, rows_of

if TYPE_CHECKING:
    from pplx_local.answer import Hit

STRETCH_CHARS = 8_000
_MOST = 5
"""Stretches that are kept; those furthest away are let go."""
_LONG = 2_000
"""Characters; a longer line is not widened to, but cut."""
_FAR = 200
"""Characters that a word may have and still be kept whole."""
_NARROW = 30
"""Cells; with less there are no line numbers."""


class Stretch(NamedTuple):
    """A part of a document's text, rendered."""

    extract: Extract
    lines: tuple[Line, ...]

    @property
    def char_span(self) -> Span:
        """Where in the document it lies."""
        start = self.extract.char_start
        return Span(start, start + len(self.extract.text))


class Shown(NamedTuple):
    """A document as far as it is at hand, cut into rows of some width."""

    path: bytes
    n_chars: int
    """Of the document; 0 where that is not known, for a passage by itself."""
    stretches: tuple[Stretch, ...]
    width: int
    """Cells, the gutter's among them."""
    digits: int
    """Cells for line numbers; 0 for none."""
    rows: tuple[Row, ...]
    keys: tuple[tuple[int, bool], ...]
    """Where in the document each row begins; they rise."""

    @property
    def char_span(self) -> Span:
        """What is at hand."""
        return Span(self.stretches[0].char_span.start, self.stretches[-1].char_span.end)

    @property
    def is_whole(self) -> bool:
        """Whether it is of the document, not of a passage by itself."""
        return self.n_chars > 0

    def holds(self, hit: Hit) -> bool:
        """Tell whether a passage is at hand, and still reads as it did."""
        start, end = hit.char_span
        return (
            self.is_whole
            and self.path == hit.path
            and self._text(start, end) == hit.text
        )

    def row_at(self, key: tuple[int, bool]) -> int:
        """Find the row that shows a place of the document."""
        return max(bisect_right(self.keys, key) - 1, 0)

    def places(self, char: int) -> list[Place]:
        """Name the parts of the document that a character lies in, from outside."""
        found = {
            one: None  # a part may be named by every stretch that it reaches into
            for stretch in self.stretches
            for one in stretch.extract.segments
            if one.char_start <= char < one.char_end
        }
        return [Place(one.kind, one.label) for one in found]

    def _text(self, start: int, end: int) -> str:
        first = self.char_span.start
        if start < first:
            return ""
        text = "".join(stretch.extract.text for stretch in self.stretches)
        return text[start - first : end - first]


def around(hit: Hit) -> Span:
    """Say which stretch to ask for."""
    start, end = hit.char_span
    beside = max(STRETCH_CHARS - (end - start), STRETCH_CHARS // 2) // 2
    return Span(max(start - beside, 0), end + beside)


def passage_alone(hit: Hit, width: int, height: int) -> Shown:
    """Show a passage before its document is there.

    Blank rows stand for the document, so that the passage need not move when it comes:
    no more of them above than there are lines above, and `height` below.
    """
    lead = hit.text[: len(hit.text) - len(hit.text.lstrip())]
    line = hit.line - lead.count("\n")  # `hit.line` is where words begin
    start, end = hit.char_span
    extract = Extract(start, hit.text, line, 0, None, ())
    above = [_blank(start - 1)] * min(line - 1, height)
    lines = (*above, *sketch(hit.path, extract), *([_blank(end)] * height))
    return _laid_out(hit.path, 0, (Stretch(extract, lines),), width)


def _blank(start: int) -> Line:
    return Line(Content(""), (), start)


def document(path: bytes, extract: Extract, asked: Span, width: int) -> Shown:
    """Show a first stretch."""
    extract = _to_blank(_from_blank(extract, asked.start))
    return _laid_out(path, extract.n_chars, (_rendered(path, extract),), width)


def rewrapped(shown: Shown, width: int) -> Shown:
    """Cut anew, for another width."""
    return _laid_out(shown.path, shown.n_chars, shown.stretches, width)


def wanted(shown: Shown, *, is_after: bool) -> Span | None:
    """Say which stretch comes next on one side; None at the document's end."""
    start, end = shown.char_span
    if is_after:
        more = end < shown.n_chars
        return Span(end, end + STRETCH_CHARS) if more else None
    return Span(max(start - STRETCH_CHARS, 0), start) if start else None


def extended(shown: Shown, extract: Extract, *, is_after: bool) -> Shown:
    """Put a stretch on one side; on the other one may be let go.

    Args:
        shown: What is at hand.
        extract: As it was asked for; it may reach into what is at hand.
        is_after: On which side it is put.
    """
    start, end = shown.char_span
    if is_after:
        new = _cut(_to_blank(extract), Span(end, shown.n_chars))
        stretches = (*shown.stretches, _rendered(shown.path, new))[-_MOST:]
    else:
        asked = max(start - STRETCH_CHARS, 0)
        new = _cut(_from_blank(extract, asked), Span(0, start))
        stretches = (_rendered(shown.path, new), *shown.stretches)[:_MOST]
    return _laid_out(shown.path, shown.n_chars, stretches, shown.width)


def _from_blank(extract: Extract, asked: int) -> Extract:
    """Begin with a whole word, where a stretch begins in the middle of a long line."""
    is_cut = 0 < asked == extract.char_start and "\n" not in extract.text[:_LONG]
    blank = extract.text.find(" ", 0, _FAR) + 1
    start = extract.char_start + blank
    return _cut(extract, Span(start, extract.n_chars)) if is_cut else extract


def _to_blank(extract: Extract) -> Extract:
    """End with a whole word, where a stretch ends in the middle of a long line."""
    is_last = extract.char_start + len(extract.text) >= extract.n_chars
    if is_last or extract.text.endswith("\n"):
        return extract
    blank = extract.text.rfind(" ", -_FAR) + 1
    return extract._replace(text=extract.text[: blank or None])


def _cut(extract: Extract, inside: Span) -> Extract:
    """Leave off what is at hand: a stretch was widened to whole lines."""
    before = max(inside.start - extract.char_start, 0)
    text = extract.text[before : max(inside.end - extract.char_start, 0)]
    line = extract.line + extract.text.count("\n", 0, before)
    return extract._replace(
        char_start=extract.char_start + before, text=text, line=line
    )


def _rendered(path: bytes, extract: Extract) -> Stretch:
    return Stretch(extract, tuple(render(path, extract)))


def _laid_out(
    path: bytes, n_chars: int, stretches: Sequence[Stretch], width: int
) -> Shown:
    last = max((line.number or 0 for one in stretches for line in one.lines), default=0)
    is_numbered = has_numbers(path) and width >= _NARROW
    digits = max(len(str(last)), 3) if is_numbered else 0
    rows = tuple(_rows(stretches, max(width - gutter(digits), 2)))
    return Shown(
        *(path, n_chars, tuple(stretches), width, digits, rows),
        keys=tuple(row.key for row in rows),
    )


def gutter(digits: int) -> int:
    """Count the cells before the text: the line's number, and the passage's bar."""
    return digits + 2


def _rows(stretches: Sequence[Stretch], width: int) -> list[Row]:
    rows: list[Row] = []
    is_line_start = True
    for stretch in stretches:
        found = list(rows_of(stretch.lines, width))
        if found and not is_line_start:  # a line that goes on has its number already
            found[0] = found[0]._replace(is_first=False)
        rows += found
        is_line_start = stretch.extract.text.endswith("\n")
    return rows
