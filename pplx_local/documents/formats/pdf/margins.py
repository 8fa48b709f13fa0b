"""Running headers, footers and page numbers: what pages repeat at their edges."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from pplx_local.documents.formats.pdf.lines import Line
from pplx_local.documents.formats.pdf.pages import Page

NEAR_PAGES = 4
"""On either side are compared: headers of left and right pages take turns."""

_EDGE_LINES = 3
_MIN_REPEATS = 2
_SAME_HEIGHT = 4.0
_NUMBER = re.compile(r"\d{1,9}")
_PAGE = re.compile(
    r"\b(?:page|p|seite|p[aá]gina|p[aá]g|strona|stranica|стр|страница|of|von|sur|de|di)\b"
    "|[页頁]|ページ",
    re.IGNORECASE,
)
_TITLE_WORDS = (0, *range(3, 50))
"""So many words beside a number are none, or those of a running title."""
_ROMAN = re.compile(r"[ivxlc]{1,8}", re.IGNORECASE)
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


class _Edge(NamedTuple):
    """A line at the top or the bottom of a page."""

    line: int
    """Of the line on its page."""
    skeleton: str
    """Its words with every number replaced."""
    numbers: tuple[int, ...]
    height: float
    """Where it stands, in points."""

    def repeats(self, other: _Edge, n_pages: int) -> bool:
        """Say whether another page has the same, or counted on with the pages."""
        if self.skeleton != other.skeleton:
            return False
        if abs(self.height - other.height) > _SAME_HEIGHT:
            return False
        pairs = zip(self.numbers, other.numbers, strict=False)
        steps = {there - here for here, there in pairs} - {0}
        if steps:
            return steps == {n_pages} and self.may_count
        return self.has_words

    @property
    def has_words(self) -> bool:
        """Whether there is more to it than numbers."""
        return any(map(str.isalpha, self.skeleton))

    @property
    def may_count(self) -> bool:
        """Whether a number in it may be the page's: that of "Exercise 3" is not."""
        n_words = sum(any(map(str.isalpha, word)) for word in self.skeleton.split())
        return n_words in _TITLE_WORDS or _PAGE.search(self.skeleton) is not None


def without_margins(pages: Iterable[Page]) -> Iterator[Page]:
    """Take repeated lines out of the edges of pages.

    Only what stands at the same height on two pages nearby as well goes; words stay on
    the first page that has them, so that nothing is lost that occurs but once.
    """
    coming = iter(pages)
    ahead: deque[tuple[Page, list[_Edge]]] = deque()
    ahead.extend(_noted(islice(coming, NEAR_PAGES)))
    before: deque[list[_Edge]] = deque(maxlen=NEAR_PAGES)
    while ahead:
        ahead.extend(_noted(islice(coming, 1)))
        page, edges = ahead.popleft()
        after = [there for _, there in ahead]
        gone = {one.line for one in edges if _is_running(one, before, after)}
        kept = [line for i, line in enumerate(page.lines) if i not in gone]
        yield page._replace(lines=kept)
        before.append(edges)


def _noted(pages: Iterable[Page]) -> Iterator[tuple[Page, list[_Edge]]]:
    for page in pages:
        yield page, list(_edges(page.lines))


def _edges(lines: Sequence[Line]) -> Iterator[_Edge]:
    placed = [i for i, line in enumerate(lines) if line.height > 0 and line.is_upright]
    placed.sort(key=lambda i: lines[i].bottom)
    n = min(_EDGE_LINES, len(placed) // 3 or len(placed) // 2)
    for i in {*placed[:n], *placed[len(placed) - n :]}:
        skeleton, numbers = _skeleton(lines[i].text)
        yield _Edge(i, skeleton, numbers, lines[i].bottom)


def _skeleton(text: str) -> tuple[str, tuple[int, ...]]:
    if _ROMAN.fullmatch(text):
        return "0", (_roman(text.lower()),)
    return _NUMBER.sub("0", text), tuple(map(int, _NUMBER.findall(text)))


def _roman(letters: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in letters]
    following = [*values[1:], 0]
    return sum(
        -one if one < then else one for one, then in zip(values, following, strict=True)
    )


def _is_running(
    edge: _Edge, before: Sequence[list[_Edge]], after: Sequence[list[_Edge]]
) -> bool:
    earlier = _n_repeats(edge, enumerate(reversed(before), 1), -1)
    later = _n_repeats(edge, enumerate(after, 1), 1)
    return earlier + later >= _MIN_REPEATS and (earlier > 0 or not edge.has_words)


def _n_repeats(
    edge: _Edge, pages: Iterable[tuple[int, list[_Edge]]], direction: int
) -> int:
    """Count the pages that have it."""
    return sum(
        any(edge.repeats(one, direction * distance) for one in edges)
        for distance, edges in pages
    )
