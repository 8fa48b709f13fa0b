"""The outline of a document: its bookmarks, as headings in the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from pplx_local.documents.formats.format import MAX_SEGMENTS
from pplx_local.documents.formats.pdf.lines import Line
from pplx_local.documents.formats.pdf.strings import fixed

_MAX_DEPTH = 15
_TOP_AT = {
    raw.PDFDEST_VIEW_XYZ: 1,
    raw.PDFDEST_VIEW_FITH: 0,
    raw.PDFDEST_VIEW_FITBH: 0,
    raw.PDFDEST_VIEW_FITR: 3,
}
"""Which of its numbers says how far up a view starts."""

_NUMBER_CHARS = 10
"""A heading may have so much of a number in front of its words."""


class Bookmark(NamedTuple):
    """A line of the outline."""

    title: str
    level: int
    """1 is the highest."""
    top: float | None
    """Where on its page, in points from below; None for the page as such."""


def bookmarks_of(document: pdfium.PdfDocument) -> dict[int, list[Bookmark]]:
    """Read the outline: what it points at, by the index of the page."""
    found: dict[int, list[Bookmark]] = {}
    try:
        for one in islice(document.get_toc(max_depth=_MAX_DEPTH), MAX_SEGMENTS):
            title, goal = fixed(one.get_title()), one.get_dest()
            page = goal.get_index() if goal else None
            if goal and title and page is not None:
                top = _top(goal)
                found.setdefault(page, []).append(Bookmark(title, one.level + 1, top))
    except pdfium.PdfiumError:
        return found
    return found


def _top(goal: pdfium.PdfDest) -> float | None:
    mode, numbers = goal.get_view()
    at = _TOP_AT.get(mode, len(numbers))
    return numbers[at] if at < len(numbers) else None


def line_of(bookmark: Bookmark, lines: Sequence[Line]) -> int:
    """Find the line that a bookmark means: one that has its words, or the next below.

    Returns:
        Its index; 0 where nothing tells.
    """
    title = _bare(bookmark.title)
    named = [i for i, line in enumerate(lines) if _names(_bare(line.text), title)]
    top = bookmark.top
    if top is None:
        return named[0] if named else 0
    if named:
        return min(named, key=lambda i: abs(lines[i].top - top))
    below = [i for i, line in enumerate(lines) if line.bottom < top]
    return max(below, key=lambda i: lines[i].top, default=0)


def _names(line: str, title: str) -> bool:
    """Allow for a number in front, and for a heading that goes on in the next line."""
    if line.endswith(title):
        return len(line) <= len(title) + _NUMBER_CHARS
    is_part = title.startswith(line) or title.endswith(line)
    return is_part and 3 * len(line) > len(title)


def _bare(words: str) -> str:
    return "".join(filter(str.isalnum, words)).casefold()
