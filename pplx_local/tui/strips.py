"""Lines of content as they are drawn, without the wrapping that a visual does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.content import Content
    from textual.style import Style
    from textual.widget import Widget


def strip_of(widget: Widget, line: Content, width: int, style: Style) -> Strip:
    """Draw a line.

    A visual would do it too, and take ten times as long: it wraps lines first.

    Args:
        widget: Whose theme names the colours.
        line: Of at most `width` cells.
        width: What is filled.
        style: Below what the line says of itself.
    """
    parts = line.render(style, end="", parse_style=widget._get_style)
    segments = [Segment(text, (style + one).rich_style) for text, one in parts]
    return Strip(segments).adjust_cell_length(width, style.rich_style)
