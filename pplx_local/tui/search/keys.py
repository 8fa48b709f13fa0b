"""The keys of the search screen: the question has the focus, and they come before it."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

_IN_THE_LINE = (
    ("enter", "open", "Open"),
    ("ctrl+e", "edit", "Edit"),
    ("ctrl+o", "reveal", "Reveal"),
    ("tab", "mark", "Mark"),
    ("ctrl+y", "copy_path", "Copy path"),
    ("ctrl+r", "cycle_mode", "Mode"),
    ("ctrl+slash,ctrl+underscore", "toggle_preview", "Preview"),
    ("escape", "leave", "Clear, quit"),
)
"""Named at the bottom, from the left: key, action, what it does."""

_IN_THE_HELP = (
    ("down,ctrl+n", "move(1)", "Next hit"),
    ("up,ctrl+p", "move(-1)", "Hit before"),
    ("pagedown", "move_page(1)", "Next page"),
    ("pageup", "move_page(-1)", "Page before"),
    ("alt+y", "copy_place", "Copy path:line"),
    ("alt+t", "copy_text", "Copy passage"),
    ("alt+p", "toggle_picture", "Page as picture"),
    ("alt+up", "recall(-1)", "Older question"),
    ("alt+down", "recall(1)", "Newer question"),
    ("shift+down", "scroll(1)", "Preview down"),
    ("shift+up", "scroll(-1)", "Preview up"),
    ("alt+pagedown", "scroll_page(1)", "Preview page down"),
    ("alt+pageup", "scroll_page(-1)", "Preview page up"),
)

KEYS: Final[list[BindingType]] = [
    Binding(*key, priority=True, show=keys is _IN_THE_LINE)
    for keys in (_IN_THE_LINE, _IN_THE_HELP)
    for key in keys
]
