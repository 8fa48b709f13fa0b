"""The lines of a page, with where they stand."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from pplx_local.documents.formats.pdf.strings import fixed

_END = re.compile("(\r?\n|\r)|[\x02\ufffe](?:\r?\n)?")
"""pdfium marks a hyphen at a line's end by U+FFFE or U+0002, and joins the lines."""

_OUTSIDE_BMP = re.compile("[\U00010000-\U0010ffff]")
_BLANK = re.compile(" +")
_MAYBE_NUMBERS = re.compile("[\u0100-\u1fff\u2070-\ufffd]")
"""What the number of a glyph looks like; below, it is mostly the letter itself."""

_QUARTER_TURNS = 4

_WIDE = 1.5
"""Times the height of its letters is a gap that may part two columns."""

_N_TRIED = 5
_MAX_WHOLE = 2
_MAX_BLANKS = 60
_MAX_SPLIT = 1_000
"""So many lines are looked at letter by letter, and so many of them on the way there."""

_Box = tuple[float, float, float, float]


class Line(NamedTuple):
    """A line as a reader sees it, in points from the page's lower left corner.

    All are 0 where the file does not say where the line is.
    """

    text: str
    """Fixed, never empty, without the hyphen of a broken word."""
    left: float = 0.0
    bottom: float = 0.0
    right: float = 0.0
    top: float = 0.0
    is_broken: bool = False
    """Whether its last word goes on in the next line, after a hyphen."""
    is_upright: bool = True

    @property
    def height(self) -> float:
        """Of its larger letters: about the size of the font."""
        return self.top - self.bottom

    @property
    def width(self) -> float:
        """From the first letter to the last."""
        return self.right - self.left

    def shares_column(self, other: Line) -> bool:
        """Say whether one of the two stands above the other."""
        shared = min(self.right, other.right) - max(self.left, other.left)
        return shared > 0.3 * min(self.right - self.left, other.right - other.left)


class _Run(NamedTuple):
    """Where a line stands in a page's text."""

    start: int
    end: int
    is_broken: bool


class Letters:
    """The characters of a page, as pdfium numbers them: in units of UTF-16.

    Raises:
        PdfiumError: The page cannot be read.
    """

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._letters = page.get_textpage()
        self._place = _placing(page)
        self._text = self._letters.get_text_range()
        self._wide = [found.start() for found in _OUTSIDE_BMP.finditer(self._text)]
        self._space = raw.FS_RECTF()
        last = len(self._text) + len(self._wide) - 1
        self._is_shifted = self._index(last) != last
        """Whether pdfium leaves characters of the page out of its text."""
        self._text = _MAYBE_NUMBERS.sub(self._without_numbers, self._text)
        self._runs = list(_runs(self._text))

    def close(self) -> None:
        """Let go of the page's text."""
        self._letters.close()

    def lines(self) -> list[Line]:
        """Give the lines in the order of the page's content."""
        return list(filter(None, map(self._line, self._runs)))

    def split_lines(self) -> list[Line] | None:
        """Give the lines cut at wide gaps; None where long lines have none."""
        longest = sorted(self._runs, key=lambda run: run.start - run.end)[:_N_TRIED]
        whole = (run for run in longest if not self._is_parted(run))
        if (
            len(self._runs) > _MAX_SPLIT
            or len(list(islice(whole, _MAX_WHOLE))) == _MAX_WHOLE
        ):
            return None
        parts = (part for run in self._runs for part in self._parts(run))
        return list(filter(None, map(self._line, parts)))

    def _is_parted(self, run: _Run) -> bool:
        """Say whether there is a wide gap in the middle of a line."""
        margin = (run.end - run.start) // 5
        return len(self._parts(_Run(run.start + margin, run.end - margin, False))) > 1

    def _parts(self, run: _Run) -> list[_Run]:
        """Cut a line where the blank between two words is wide."""
        parts = []
        start = run.start
        blanks = _BLANK.finditer(self._text, run.start, run.end)
        for blank in islice(blanks, _MAX_BLANKS):
            before, after = self._box(blank.start() - 1), self._box(blank.end())
            if (
                before
                and after
                and after[0] - before[2] > _WIDE * (after[3] - after[1])
            ):
                parts.append(_Run(start, blank.start(), False))
                start = blank.end()
        return [*parts, _Run(start, run.end, run.is_broken)]

    def _line(self, run: _Run) -> Line | None:
        text = fixed(self._text[run.start : run.end])
        if not text:
            return None
        start, end = self._box(run.start), self._box(run.end - 1)
        if start is None or end is None:
            return Line(text, is_broken=run.is_broken)
        (l1, b1, r1, t1), (l2, b2, r2, t2) = start, end
        is_upright = abs(l2 - l1) >= abs(b2 - b1)
        tall = (b1, t1) if t1 - b1 >= t2 - b2 else (b2, t2)
        bottom, top = tall if is_upright else (min(b1, b2), max(t1, t2))
        left, right = min(l1, l2), max(r1, r2)
        return Line(text, left, bottom, right, top, run.is_broken, is_upright)

    def _index(self, at: int) -> int:
        return int(raw.FPDFText_GetCharIndexFromTextIndex(self._letters, at))

    def _without_numbers(self, found: re.Match[str]) -> str:
        """Give a blank for a glyph whose font does not say which letter it is."""
        index = self._char(found.start())
        is_number = raw.FPDFText_HasUnicodeMapError(self._letters, index) == 1
        return " " if is_number else found[0]

    def _char(self, at: int) -> int:
        """Give pdfium's number of a character of the text; negative for none."""
        at += bisect_left(self._wide, at) if self._wide else 0
        return self._index(at) if self._is_shifted else at

    def _box(self, at: int) -> _Box | None:
        index = self._char(at)
        box = self._space
        if index < 0 or not raw.FPDFText_GetLooseCharBox(self._letters, index, box):
            return None
        return self._place((box.left, box.bottom, box.right, box.top))


def _runs(text: str) -> Iterator[_Run]:
    """Find the lines that have words in a page's text."""
    start = 0
    for end, after, is_broken in _ends(text):
        bare = text[start:end].strip()
        if bare:
            first = text.index(bare, start)
            yield _Run(first, first + len(bare), is_broken)
        start = after


def _ends(text: str) -> Iterator[tuple[int, int, bool]]:
    for found in _END.finditer(text):
        yield found.start(), found.end(), found[1] is None
    yield len(text), len(text), False


def _placing(page: pdfium.PdfPage) -> Callable[[_Box], _Box]:
    """Turn boxes as the page is turned for its reader."""
    turns = page.get_rotation() // 90 % _QUARTER_TURNS

    def place(box: _Box) -> _Box:
        for _ in range(turns):
            left, bottom, right, top = box
            box = bottom, -right, top, -left
        return box

    return place
