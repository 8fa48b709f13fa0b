"""Text as it is, with its headings bold and its pages parted by rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pplx_local.answer import Place
from pplx_local.tui.rendering.line import Line, Piece, lines_of, rule
from pplx_local.wording.place import place_in_words

if TYPE_CHECKING:
    from pplx_local.answer import Extract, Section

_HEADING = "bold $text-primary"
_WITHIN_TEXT = ("heading", "symbol")
"""Places that begin with words of their own; others are parted by a rule."""


def plain_pieces(text: str) -> list[Piece]:
    """Show a text as it is."""
    return [Piece(0, len(text))]


def plain_lines(extract: Extract) -> list[Line]:
    """Render a stretch of a text that is only read, such as a log."""
    pieces = plain_pieces(extract.text)
    return lines_of(extract.text, pieces, extract.char_start, extract.line)


def page_lines(extract: Extract) -> list[Line]:
    """Render a stretch of a text that was taken out of pages: its lines have no number.

    A page begins with a rule that names it.
    """
    pages: defaultdict[int, list[Place]] = defaultdict(list)
    for one in filter(_is_page, extract.segments):
        pages[one.char_start].append(Place(one.kind, one.label))
    headings = {one.char_start for one in extract.segments if not _is_page(one)}
    return list(_with_rules(plain_lines(extract), pages, headings))


def _is_page(segment: Section) -> bool:
    return segment.kind not in _WITHIN_TEXT


def _with_rules(
    lines: list[Line], pages: Mapping[int, Sequence[Place]], headings: set[int]
) -> Iterator[Line]:
    for line in lines:
        if page := pages.get(line.start):
            yield rule(place_in_words(page), line.start)
        elif line.start in headings:
            line = line._replace(content=line.content.stylize(_HEADING))
        yield line._replace(number=None)
