"""Lines cut into rows that fit, by the cells that characters take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.cells import cell_len

from pplx_local.tui.rendering.line import Line


class Row(NamedTuple):
    """What stands on one row of the screen."""

    line: Line
    start: int
    """Into the line's content, as the end is."""
    end: int
    is_first: bool
    """Whether the line begins here."""

    @property
    def key(self) -> tuple[int, bool]:
        """Where in the document it begins; a rule comes before the text below it."""
        start = self.line.offsets[self.start] if self.start else self.line.start
        return start, not self.line.is_rule

    @property
    def last(self) -> int:
        """Where in the document its last character lies."""
        return self.line.offsets[self.end - 1] if self.end > self.start else self.key[0]

    @property
    def indent(self) -> int:
        """Cells that it is set in by."""
        return 0 if self.start == 0 else self.line.hang


def rows_of(lines: Iterable[Line], width: int) -> Iterator[Row]:
    """Cut lines into rows of at most so many cells, between words if there is room.

    Blanks at the end of a row may stand out.

    Args:
        lines: What is shown.
        width: At least 2, or a wide character may stand out.
    """
    for line in lines:
        line = line._replace(hang=min(line.hang, width // 2))
        for start, end in _cuts(line, width):
            yield Row(line, start, end, is_first=start == 0)


def _cuts(line: Line, width: int) -> Iterator[tuple[int, int]]:
    text = line.content.plain
    if line.is_rule:
        yield 0, 0
        return
    if len(text) * 2 <= width or line.content.cell_length <= width:
        yield 0, len(text)
        return
    room, further = width, max(width - line.hang, 1)
    start = position = cells = 0
    gap = cells_to_gap = 0
    for cluster in _clusters(text):
        size = cell_len(cluster)
        is_blank = cluster == " "
        if cells + size > room and position > start and not is_blank:
            cut = gap if gap > start else position
            yield start, cut
            cells -= cells_to_gap if cut == gap else cells
            start, room = cut, further
        position, cells = position + len(cluster), cells + size
        if size == 2 or (is_blank and text[start:position].strip()):
            gap, cells_to_gap = position, cells
    yield start, len(text)


def _clusters(text: str) -> Iterable[str]:
    """Give what is one character to a reader: accents stay on their letters."""
    if text.isascii():
        return text
    import regex  # where it is needed: many people's files never do

    found: list[str] = regex.findall(r"\X", text)
    return found
