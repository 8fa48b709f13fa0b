"""Text laid out in a width: paragraphs, and words with what they mean."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from pplx_local.tui.paint import plain
from pplx_local.wording.visible import visible

_INDENT = 2
_WIDEST_SHARE = 0.4
"""Of the width, that words may take from what they mean."""


def heading(said: str) -> Content:
    """Lay out what a section is called."""
    return plain(said, "bold $text-primary")


def paragraph(said: str, width: int) -> Content:
    """Lay out a paragraph."""
    lines = textwrap.wrap(said, max(10, width - _INDENT))
    return _joined([plain(" " * _INDENT + line) for line in lines])


def table(rows: Sequence[tuple[Content, str]], width: int) -> Content:
    """Lay out words with what they mean beside them, or below where that is narrow."""
    longest = max((word.cell_length for word, _ in rows), default=0)
    if longest > width * _WIDEST_SHARE:
        return _joined([_stacked(word, said, width) for word, said in rows])
    return _joined([_beside(word, said, longest, width) for word, said in rows])


def _beside(word: Content, said: str, longest: int, width: int) -> Content:
    indent = _INDENT + longest + 2
    [first, *rest] = _wrapped(said, width - indent)
    padded = word.pad_right(longest + 2 - word.cell_length)
    lines = [" " * _INDENT + padded + plain(first)]
    return _joined([*lines, *(plain(" " * indent + line) for line in rest)])


def _stacked(word: Content, said: str, width: int) -> Content:
    indent = " " * (2 * _INDENT)
    lines = _wrapped(said, width - len(indent))
    return _joined([" " * _INDENT + word, *(plain(indent + line) for line in lines)])


def _wrapped(said: str, width: int) -> list[str]:
    """Wrap by characters: what is wide here are folders that people named."""
    shown = visible(said)
    room = max(10, width)
    if cell_len(shown) > len(shown):
        room = max(5, room // 2)
    return textwrap.wrap(shown, room) or [""]


def _joined(lines: Sequence[Content]) -> Content:
    return Content("\n").join(lines)
