"""Where a question is typed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual import events
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Input

_LINE_END = re.compile(r"\s*[\r\n]\s*")


class Query(Input):
    """An input that remembers: older questions come back with the keys for history."""

    DEFAULT_CSS = """
    Query {
        height: 1;
        border: none;
        padding: 0;
        background: $background;
        &:focus { border: none; }
    }
    """

    virtual_size: reactive[Size] = reactive(Size(0, 0), repaint=False)
    """Textual's own has the whole screen laid out anew for each key."""

    def __init__(self, queries: Sequence[str]) -> None:
        """Begin empty.

        Args:
            queries: What was asked before, the newest last; looked at, not changed.
        """
        super().__init__(
            id="query",
            placeholder="Search in your folders",
            select_on_focus=False,
            compact=True,
        )
        self._queries = queries
        self._place: int | None = None
        """Of the older question that is shown; None while it is the person's own."""
        self._own = ""

    def _on_paste(self, event: events.Paste) -> None:
        """Take all lines of what is pasted; Textual's own takes the first."""
        event.prevent_default()
        event.stop()
        if text := _LINE_END.sub(" ", event.text.strip("\r\n")):
            self.replace(text, *self.selection)

    def remember(self, queries: Sequence[str]) -> None:
        """Take other older questions."""
        self._queries = queries
        self._place = None

    def recall(self, by: int) -> None:
        """Show an older question, or a newer one; past the newest comes one's own."""
        if self._place is None:
            self._own = self.value
        last = len(self._queries)
        place = (last if self._place is None else self._place) + by
        place = max(0, min(place, last))
        self._place = None if place == last else place
        self.value = self._own if place == last else self._queries[place]
        self.cursor_position = len(self.value)
