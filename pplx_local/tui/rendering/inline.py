"""What Markdown hides within a line: the stars of emphasis, the addresses of links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pplx_local.tui.rendering.line import Piece

CODE = "$text-warning"
_LINK = "underline $text-primary"
_MAX_CHARS = 2_000
"""A longer line stays as it is written: finding pairs in it could take long."""

# Every repetition is bounded or possessive: the time stays small whatever a line holds.
_MARKUP = re.compile(
    r"(?=[\\`!\[<*_~])(?:"  # most characters begin nothing
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`{1,9})(?!`)(?P<code>.{1,500}?)(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<label>(?:[^\[\]\\`]|\\.|`[^`]{0,200}+`|\[[^\[\]]{0,200}+\]){0,500}+)\]"
    r"\((?P<url>[^()\s]{0,500}+(?:\([^()\s]{0,200}+\)[^()\s]{0,200}+){0,4}+)"
    r"(?:\s{1,9}+(?:\"[^\"]{0,300}+\"|'[^']{0,300}+'))?\)"
    r"|<(?P<address>(?:https?://|mailto:)[^<>\s]{1,500}+)>"
    r"|(?P<both>\*\*\*)(?=[^\s*])(?P<stressed>.{1,500}?)(?<=[^\s*\\])\*\*\*(?!\*)"
    r"|(?P<stars>\*\*)(?=[^\s*])(?P<bold>.{1,500}?)(?<=[^\s\\])\*\*(?!\*)"
    r"|(?<!\w)__(?=[^\s_])(?P<bold_>.{1,500}?)(?<=[^\s\\])__(?!\w)"
    r"|(?<!\*)\*(?=[^\s*])(?P<italic>.{1,500}?)(?<=[^\s*\\])\*(?!\*)"
    r"|(?<!\w)_(?=[^\s_])(?P<italic_>.{1,500}?)(?<=[^\s_\\])_(?!\w)"
    r"|~~(?=[^\s~])(?P<struck>.{1,500}?)(?<=[^\s~\\])~~(?!~)"
    r")"
)
_STYLES = {
    "stressed": "bold italic",
    "bold": "bold",
    "bold_": "bold",
    "italic": "italic",
    "italic_": "italic",
    "struck": "strike",
}


@dataclass(frozen=True, slots=True)
class Inline:
    """A part of a line: where it lies in the text, and the style it has by its line."""

    start: int
    end: int
    style: str = ""


def inline_pieces(text: str, part: Inline, depth: int = 0) -> Iterator[Piece]:
    """Give what is shown of a part of a line, in order.

    Only what has its other half is hidden: a lone star is a star.
    """
    position = part.start
    if depth < 4 and part.end - part.start <= _MAX_CHARS:
        for found in _MARKUP.finditer(text, part.start, part.end):
            yield from _own(position, found.start(), part.style)
            yield from _shown(text, found, part.style, depth)
            position = found.end()
    yield from _own(position, part.end, part.style)


def _shown(text: str, found: re.Match[str], style: str, depth: int) -> Iterator[Piece]:
    name = found.lastgroup or ""
    start, end = found.span(name)
    if name in _STYLES:
        inner = Inline(start, end, f"{style} {_STYLES[name]}".strip())
        yield from inline_pieces(text, inner, depth + 1)
    elif name == "url":
        yield from _link(text, found, style, depth)
    elif name == "code":
        yield Piece(start, end, f"{style} {CODE}".strip())
    else:
        yield Piece(start, end, style if name == "escaped" else _LINK)


def _link(text: str, found: re.Match[str], style: str, depth: int) -> Iterator[Piece]:
    """Show a link's words; its address only where it has none."""
    start, end = found.span("label" if found["label"].strip() else "url")
    if start == end:
        yield Piece(*found.span(), style)
    else:
        inner = Inline(start, end, f"{style} {_LINK}".strip())
        yield from inline_pieces(text, inner, depth + 1)


def _own(start: int, end: int, style: str) -> Iterator[Piece]:
    if end > start:
        yield Piece(start, end, style)
