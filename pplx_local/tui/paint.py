"""Text from files as content: nothing in it is obeyed, and what matched is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.wording.excerpt import Mark, Strength

STYLES: dict[Strength, str] = {
    "exact": "bold underline $text-success",
    "close": "italic underline $text-accent",
    "near": "italic $text-accent",
    "far": "italic $foreground-muted",
}
"""Without any colour they still differ: bold and underlined, italic and underlined,
italic."""


def plain(text: str, style: str = "") -> Content:
    """Show text from a file."""
    return Content.styled(visible(text), style) if text else Content("")


def painted(text: str, marks: Sequence[Mark]) -> Content:
    """Show text from a file with the words that matched, each as strong as it is close.

    Args:
        text: As it is in the document.
        marks: Into the text, in order, apart from each other.
    """
    parts = []
    position = 0
    for start, end, strength in marks:
        parts.append(plain(text[position:start]))
        parts.append(plain(text[start:end], STYLES[strength]))
        position = end
    return Content("").join([*parts, plain(text[position:])])
