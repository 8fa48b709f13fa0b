"""Lines to paragraphs: what a page's width has broken is put together again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median, median_low
from typing import NamedTuple

from pplx_local.documents.formats.pdf.lines import Line

_MAX_WORDS = 200_000
"""Of a document are kept in mind."""

_WORD = re.compile(r"\w+(?:-\w+)*")
_LAST_WORD = re.compile(r"\w[\w-]*\Z")
_ITEM = re.compile(
    r"[\u2022\u2023\u25aa\u25cf\u25e6\u2043\u2219\u00b7\u25a0*\u2013\u2014-] |"
    r"\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)] |\[\d{1,3}\] ",
    re.IGNORECASE,
)
_ENDS_SENTENCE = re.compile(r"[.!?:\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)\]]*\Z")
_UNSPACED = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
"""Chinese and Japanese: no blank stands between two of these."""

_WORD_CHARS = 4
_INDENT = 0.8
_SAME_SIZE = 1.25
_LOOSE = 1.4
_SPARSE = 0.75
_NARROW = 8.0
"""Times the height of a line: what is not as wide is a label, and no column of prose."""


class Vocabulary:
    """The words of a document so far: they tell which hyphens belong to a word."""

    def __init__(self) -> None:
        self._n: Counter[str] = Counter()

    def learn(self, lines: Iterable[Line]) -> None:
        """Add the words that stand whole in a line."""
        if len(self._n) < _MAX_WORDS:
            self._n.update(_WORD.findall("\n".join(_whole(lines)).lower()))

    def knows(self, first: str, second: str) -> bool:
        """Say whether the two parts are one word without a hyphen."""
        whole = self._n[(first.rpartition("-")[2] + second).lower()]
        compound = self._n[f"{first}-{second}".lower()]
        if whole != compound:
            return whole > compound
        is_plain = (first + second).isalpha() and second[0].islower()
        return is_plain and not (self._is_word(first) and self._is_word(second))

    def _is_word(self, part: str) -> bool:
        """Say whether a part is a word by itself: short ones are syllables too."""
        return len(part) >= _WORD_CHARS and self._n[part.lower()] > 0


def _whole(lines: Iterable[Line]) -> Iterable[str]:
    """Leave out the broken words: halves of a word may look like another."""
    continues = False
    for line in lines:
        text = line.text.partition(" ")[2] if continues else line.text
        continues = line.is_broken
        yield text.rpartition(" ")[0] if continues else text


class Prose(NamedTuple):
    """The text of a page."""

    text: str
    starts: tuple[int, ...]
    """Where each of its lines begins in it."""


def prose(lines: Sequence[Line], words: Vocabulary) -> Prose:
    """Put lines together to paragraphs, a blank line between blocks."""
    joiner = _Joiner(lines, words)
    parts: list[str] = []
    starts: list[int] = []
    n_chars = 0
    for i, line in enumerate(lines):
        gap = joiner.gap(i) if i else ""
        parts += (gap, line.text)
        starts.append(n_chars + len(gap))
        n_chars += len(gap) + len(line.text)
    if lines and lines[-1].is_broken:
        parts.append("-")
    return Prose("".join(parts), tuple(starts))


def _hyphen(above: Line, line: Line, words: Vocabulary) -> str:
    first, second = _LAST_WORD.search(above.text), _WORD.match(line.text)
    if first is None or second is None:
        return "-"
    return "" if words.knows(first[0], second[0]) else "-"


class _Joiner:
    """Decides what stands between a line and the one before."""

    def __init__(self, lines: Sequence[Line], words: Vocabulary) -> None:
        self._lines = lines
        self._words = words
        self._pitch = _pitch(lines)
        self._edges = _edges(lines, _LOOSE * self._pitch)
        self._is_first = True
        """Whether the line before was the first of its paragraph."""

    def gap(self, i: int) -> str:
        """Say what stands before a line: nothing, a hyphen, a blank, one line end or two."""
        above, line = self._lines[i - 1], self._lines[i]
        gap = _hyphen(above, line, self._words) if above.is_broken else self._gap(i)
        self._is_first = "\n" in gap
        return gap

    def _gap(self, i: int) -> str:
        above, line = self._lines[i - 1], self._lines[i]
        if not (above.height > 0 and line.height > 0):
            return "\n"
        if not (above.is_upright and line.is_upright):
            return "\n\n"
        if not _is_same_size(above, line):
            return "\n\n"
        down = above.bottom - line.bottom
        if abs(down) < 0.5 * line.height and line.left >= above.right - line.height:
            return " "
        if down <= 0 or not above.shares_column(line):
            return _blank(above, line) if _runs_on(above, line) else "\n\n"
        if down > _LOOSE * self._pitch:
            return "\n\n"
        return "\n" if self._starts_paragraph(i) else _blank(above, line)

    def _starts_paragraph(self, i: int) -> bool:
        above, line = self._lines[i - 1], self._lines[i]
        is_narrow = self._edges[i - 1] - above.left < _NARROW * above.height
        if is_narrow or _is_row(above) or _is_row(line):
            return True
        if _ITEM.match(line.text) or self._has_room(i):
            return True
        indent = _INDENT * line.height
        if line.left > above.left + indent:
            below = self._lines[i + 1] if i + 1 < len(self._lines) else None
            hangs = below is not None and abs(below.left - line.left) < indent
            ends = _ENDS_SENTENCE.search(above.text) is not None
            return not self._is_first or (ends and not hangs)
        return line.left < above.left - indent and not self._is_first

    def _has_room(self, i: int) -> bool:
        """Say whether the first word would have stood in the line before."""
        above, line = self._lines[i - 1], self._lines[i]
        word = line.text.partition(" ")[0]
        letter = above.width / max(len(above.text), 1)
        return above.right + letter * (len(word) + 1.5) < self._edges[i - 1]


def _edges(lines: Sequence[Line], near: float) -> list[float]:
    """Find how far the block of each line reaches to the right."""
    edges: list[float] = []
    start = 0
    for i in range(1, len(lines) + 1):
        if i == len(lines) or not _is_next_to(lines[i], lines[i - 1], near):
            edge = max(line.right for line in lines[start:i])
            edges += [edge] * (i - start)
            start = i
    return edges


def _is_next_to(line: Line, last: Line, near: float) -> bool:
    is_near = abs(last.bottom - line.bottom) < near
    return is_near and line.shares_column(last) and _is_same_size(line, last)


def _is_same_size(line: Line, last: Line) -> bool:
    size, last_size = line.top - line.bottom, last.top - last.bottom
    return size < _SAME_SIZE * last_size and last_size < _SAME_SIZE * size


def _pitch(lines: Sequence[Line]) -> float:
    """Measure how far apart lines usually are."""
    downs = [
        above.bottom - line.bottom
        for above, line in pairwise(lines)
        if above.bottom > line.bottom and above.shares_column(line)
    ]
    heights = [line.height for line in lines] or [0.0]
    return max(median_low(downs or [0.0]), 1.05 * median(heights))


def _is_row(line: Line) -> bool:
    """Say whether there are gaps in a line, as in the row of a table."""
    return line.right - line.left > _SPARSE * len(line.text) * line.height


def _runs_on(above: Line, line: Line) -> bool:
    """Say whether a sentence goes on at the top of the next column."""
    return line.text[0].islower() and not _ENDS_SENTENCE.search(above.text)


def _blank(above: Line, line: Line) -> str:
    is_unspaced = _UNSPACED.match(above.text[-1]) and _UNSPACED.match(line.text)
    return "" if is_unspaced else " "
