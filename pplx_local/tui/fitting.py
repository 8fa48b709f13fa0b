"""Paths and amounts where there is little room."""

from __future__ import annotations

import os

from rich.cells import cell_len
from textual.content import Content

from pplx_local.tui.paint import plain
from pplx_local.wording.visible import visible


def at_home(path: bytes) -> str:
    """Show a path as people know it: `~/notes`."""
    text = os.fsdecode(path)
    home = os.environ.get("HOME", "").rstrip("/")
    if home and (text == home or text.startswith(f"{home}/")):
        text = "~" + text.removeprefix(home)
    return visible(text)


def below(path: bytes, folder: bytes) -> str:
    """Show a path as seen from a folder that it may lie in."""
    start = folder.rstrip(b"/") + b"/"
    inside = path.removeprefix(start)
    return at_home(path) if inside == path else visible(os.fsdecode(inside))


def end_of(text: str, room: int) -> str:
    """Keep the end of a path, which tells more than its beginning.

    Args:
        text: Nothing in it is left to steer a terminal.
        room: Cells; at least 2.
    """
    if cell_len(text) <= room:
        return text
    while text and cell_len(text) > room - 1:
        text = text[max(1, (cell_len(text) - room + 1) // 2) :]
    return f"…{text}"


def path_content(shown: str, room: int) -> Content:
    """Lay out a path that is safe to show, its name standing out."""
    folder, slash, name = end_of(shown, max(room, 2)).rpartition("/")
    return Content.assemble((folder + slash, "$foreground-muted"), (name, "bold"))


def both_ends(left: Content, right: Content, width: int) -> Content:
    """Put something at each end of a line; the left gives way."""
    room = width - right.cell_length - 1
    if room < 8:
        return left.truncate(width, ellipsis=True)
    left = left.truncate(room, ellipsis=True)
    return left.pad_right(width - left.cell_length - right.cell_length) + right


def bar(share: float, width: int) -> Content:
    """Draw how much of something is done, in cells; told apart without colour too."""
    share = max(0.0, min(1.0, share))
    n_done = int(share * width)
    done = plain("━" * n_done, "bold $primary")
    return done + plain("┄" * (width - n_done), "$foreground 30%")
