"""The line of keys at the bottom: a footer that is drawn with the first frame."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

_NAMES = {
    "enter": "⏎",
    "escape": "esc",
    "ctrl+slash": "^/",
    "ctrl+underscore": "^/",
    "delete": "del",
    "full_stop": ".",
    "question_mark": "?",
    "slash": "/",
}


class KeyLine(Static):
    """Names the keys of its screen that are shown; a click on one presses it.

    Textual's own footer is a widget for each key, which takes a tenth of the time that
    a start may take.
    """

    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground 70%;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def on_mount(self) -> None:
        """Write it."""
        self.update(Content("  ").join(self._keys()))

    def _keys(self) -> list[Content]:
        shown = [
            (key_name(binding.key), binding.description, f"screen.{binding.action}")
            for _, binding in self.screen._bindings
            if binding.show
        ]
        shown += [
            (key_name(binding.key), binding.description, f"app.{binding.action}")
            for _, binding in self.app._bindings
            if binding.show
        ]
        once = {said: (key, action) for key, said, action in shown}
        return [_key(key, said, action) for said, (key, action) in once.items()]


def key_name(key: str) -> str:
    """Name a key as keyboards do: `^e` for ctrl+e."""
    if key in _NAMES:
        return _NAMES[key]
    return key.replace("ctrl+", "^").replace("alt+", "alt-").replace("shift+", "shift-")


def _key(key: str, said: str, action: str) -> Content:
    """Lay out one; words and actions are ours, so that markup is safe."""
    return Content.from_markup(f"[@click={action}][bold]{key}[/bold] {said}[/]")
