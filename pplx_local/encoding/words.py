"""From the pieces that a tokenizer makes to the words that a person reads."""

from __future__ import annotations

from pplx_local.records import Span


def whole_word(text: str, span: Span) -> Span:
    """Widen a word piece to the word that it is a part of.

    White space that a piece begins with, as in byte-level BPE, belongs to no word; of a
    piece that is nothing else, an empty span is left.
    """
    start, end = _trimmed(text, *span)
    while 0 < start < end and _joins(text[start - 1]) and _joins(text[start]):
        start -= 1
    while start < end < len(text) and _joins(text[end]) and _joins(text[end - 1]):
        end += 1
    return Span(start, end)


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _joins(char: str) -> bool:
    """Tell whether a character makes one word with a neighbour like it."""
    return char.isalnum() and not "\u2e80" <= char <= "\u9fff"
