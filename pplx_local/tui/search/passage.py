"""A row of a document as it is drawn: its number, the passage's bar, and the marks."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, get_args

from textual.content import Content

from pplx_local.answer import Span
from pplx_local.tui.paint import STYLES, plain
from pplx_local.wording.amounts import share_in_words
from pplx_local.wording.excerpt import Mark, Strength, marks
from pplx_local.wording.place import place_in_words

if TYPE_CHECKING:
    from pplx_local.answer import Hit
    from pplx_local.tui.rendering.wrap import Row
    from pplx_local.tui.search.stretches import Shown

Run = tuple[str, str]
"""Characters, and the style that they have."""

_BAR = "▌"
_DIM = "$foreground-muted"
_STRENGTHS = get_args(Strength)


class Passage(NamedTuple):
    """What a hit is about, in its document."""

    char_span: Span
    marks: tuple[Mark, ...]
    """Into the document's text."""

    @property
    def best(self) -> int:
        """Where in the document it answers best: the first of the strongest marks."""
        surest = min(self.marks, key=_weakness, default=None)
        return surest.start if surest else self.char_span.start


def passage_of(hit: Hit) -> Passage:
    """Find what is marked of a hit."""
    start = hit.char_span.start
    found = (
        one._replace(start=start + one.start, end=start + one.end) for one in marks(hit)
    )
    return Passage(hit.char_span, tuple(found))


def head(shown: Shown, top: int, bottom: int, width: int) -> Content:
    """Say what is seen: the file, the part of it, and how far down it is.

    Args:
        shown: The document.
        top: The first row that is seen.
        bottom: The last one; there may be none so far down.
        width: Cells that there are.
    """
    third = top + (bottom - top) // 3  # where a passage's best line stands
    char = shown.rows[min(third, len(shown.rows) - 1)].last
    right = f" {share_in_words(_share(shown, bottom))}" if shown.is_whole else ""
    place = place_in_words(shown.places(char))
    left = plain(_name(shown.path), "bold")
    if place:
        left += plain(f"  {place}")
    room = max(width - len(right), 1)
    return (
        left.truncate(room, ellipsis=True).pad_right(room - min(left.cell_length, room))
        + right
    )


def drawn(row: Row, passage: Passage | None, digits: int, width: int) -> list[Run]:
    """Draw a row, from left to right.

    Args:
        row: What stands on it.
        passage: That is shown.
        digits: Cells for the line's number; 0 for none.
        width: Cells that there are.
    """
    number = row.line.number if row.is_first else None
    runs = [(f"{number or '':>{digits}}", _DIM)] if digits else []
    runs += [(_bar(row, passage), "$primary"), (" " * (1 + row.indent), "")]
    if row.line.is_rule:
        runs.append((_rule(row.line.content.plain, width - digits - 2), _DIM))
    else:
        runs += _text(row, passage)
    return runs


def _share(shown: Shown, bottom: int) -> float:
    if bottom < len(shown.rows) - 1:
        return shown.rows[bottom].last / shown.n_chars
    return min(shown.char_span.end / shown.n_chars, 1.0)


def _name(path: bytes) -> str:
    return os.fsdecode(path.rpartition(b"/")[2])


def _bar(row: Row, passage: Passage | None) -> str:
    if passage is None:
        return " "
    start, end = passage.char_span
    return _BAR if row.key[0] < end and start <= row.last else " "


def _rule(name: str, width: int) -> str:
    return (f"── {name} " if name else "").ljust(max(width, 0), "─")


def _text(row: Row, passage: Passage | None) -> Iterator[Run]:
    """Paint what matched: instead of the colours of the text, not among them."""
    position = row.start
    for start, end, strength in _seen(row, passage):
        yield from _own(row.line.content, position, start)
        yield row.line.content.plain[start:end], STYLES[strength]
        position = end
    yield from _own(row.line.content, position, row.end)


def _own(content: Content, position: int, end: int) -> Iterator[Run]:
    """Give a part of a line as it is; its spans are in order and apart."""
    for span in content.spans:
        start, stop = max(span.start, position), min(span.end, end)
        if start < stop:
            yield content.plain[position:start], ""
            yield content.plain[start:stop], str(span.style)
            position = stop
    yield content.plain[position:end], ""


def _seen(row: Row, passage: Passage | None) -> Sequence[Mark]:
    """Give the marks of a row, into its line's content."""
    found = []
    for mark in passage.marks if passage else ():
        if mark.end <= row.key[0] or row.last < mark.start:
            continue
        offsets = row.line.offsets
        start = bisect_left(offsets, mark.start, row.start, row.end)
        end = bisect_left(offsets, mark.end, row.start, row.end)
        if end > start:
            found.append(Mark(start, end, mark.strength))
    return found


def _weakness(mark: Mark) -> int:
    return _STRENGTHS.index(mark.strength)
