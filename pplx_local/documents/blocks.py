"""Cutting a stream of text into blocks, so that no document is ever held whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BLOCK_CHARS = 1 << 18
WORKING = "\0"
"""A piece that is no text, which never holds it: the next one takes its time."""


def cut(pieces: Iterable[str], size: int = BLOCK_CHARS) -> Iterator[str]:
    """Give the text of the pieces back in blocks of at most `size` characters.

    A block ends at a paragraph, else at a line, else at a blank, each looked for in
    its second half; a text that has none of them there is cut where it is. `WORKING` is
    passed on at once.
    """
    rest = ""
    for piece in pieces:
        if piece == WORKING:
            yield piece
            continue
        rest += piece
        start = 0
        while len(rest) - start > size:
            end = _border(rest, start, start + size)
            yield rest[start:end]
            start = end
        rest = rest[start:]
    if rest:
        yield rest


def _border(text: str, start: int, limit: int) -> int:
    middle = (start + limit) // 2
    for border in ("\n\n", "\n", " "):
        found = text.rfind(border, middle, limit)
        if found >= 0:
            return found + len(border)
    return limit
