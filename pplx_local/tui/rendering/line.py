"""Lines to show, in which each character knows where in the document it comes from.

What is shown is seldom what is written: control characters are spelled out, tabs
widened, the stars of Markdown hidden. Marks are laid over the text by these offsets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from textual.content import Content, Span

from pplx_local.wording.visible import HOSTILE, visible

_TAB = 4


class Piece(NamedTuple):
    """Some characters of a text, and how they are shown; others are hidden."""

    start: int
    end: int
    style: str = ""
    instead: str | None = None
    """Shown in their place; None for themselves."""


class Line(NamedTuple):
    """A line of a document, not yet wrapped."""

    content: Content
    offsets: Sequence[int]
    """For each character of the content, where in the document's text the one lies that
    it shows; they never fall."""
    start: int
    """Where in the document's text the line begins, hidden characters and all."""
    number: int | None = None
    """1-based line of the document's text; None for no line of it."""
    hang: int = 0
    """Cells by which its further rows are set in."""
    is_rule: bool = False
    """Whether it is a rule across, with the content for a name."""


def line_spans(text: str) -> Iterator[tuple[int, int]]:
    """Give where each line begins and ends, without its line end."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def lines_of(
    text: str, pieces: Iterable[Piece], char_start: int, number: int
) -> list[Line]:
    """Cut pieces at the ends of lines.

    Args:
        text: A stretch of a document.
        pieces: Into the text, in order, apart from each other.
        char_start: Where in the document the text begins.
        number: Of its first line.
    """
    waiting = iter(pieces)
    piece = next(waiting, None)
    lines: list[Line] = []
    for start, end in line_spans(text):
        inside = []
        while piece and piece.start < end:
            inside.append(piece._replace(start=max(piece.start, start)))
            if piece.end > end:
                inside[-1] = inside[-1]._replace(end=end)
                break
            piece = next(waiting, None)
        while piece and piece.end <= end + 1:
            piece = next(waiting, None)
        lines.append(line_of(text, start, inside, char_start, number + len(lines)))
    return lines


def line_of(
    text: str, start: int, pieces: Sequence[Piece], char_start: int, number: int
) -> Line:
    """Lay one line out.

    Args:
        text: A stretch of a document.
        start: Where in the text the line begins.
        pieces: Of the line.
        char_start: Where in the document the text begins.
        number: Of the line.
    """
    writer = _Writer(text, char_start)
    for piece in pieces:
        writer.write(piece)
    content = Content("".join(writer.parts), writer.spans)
    offsets = writer.offsets
    return Line(content, offsets, char_start + start, number, _indent(content.plain))


def rule(name: str, start: int, number: int | None = None) -> Line:
    """Make a rule across, with a name in it or without."""
    return Line(Content(visible(name)), (), start, number, is_rule=True)


def _indent(shown: str) -> int:
    return len(shown) - len(shown.lstrip(" "))


class _Writer:
    """Collects what a line shows."""

    def __init__(self, text: str, char_start: int) -> None:
        self._text = text
        self._char_start = char_start
        self.parts: list[str] = []
        self.offsets: list[int] = []
        self.spans: list[Span] = []

    def write(self, piece: Piece) -> None:
        start = len(self.offsets)
        if piece.instead is not None:
            self._sign(piece.instead, piece.start)
        else:
            self._own(piece.start, piece.end)
        if piece.style:
            self.spans.append(Span(start, len(self.offsets), piece.style))

    def _own(self, start: int, end: int) -> None:
        for hostile in HOSTILE.finditer(self._text, start, end):
            self._as_it_is(start, hostile.start())
            self._sign(self._spelled(hostile[0]), hostile.start())
            start = hostile.end()
        self._as_it_is(start, end)

    def _as_it_is(self, start: int, end: int) -> None:
        self.parts.append(self._text[start:end])
        self.offsets.extend(range(self._char_start + start, self._char_start + end))

    def _sign(self, sign: str, start: int) -> None:
        self.parts.append(sign)
        self.offsets.extend([self._char_start + start] * len(sign))

    def _spelled(self, char: str) -> str:
        if char == "\t":
            return " " * (_TAB - len(self.offsets) % _TAB)
        return visible(char)
