"""The help screen: the keys of the screen one comes from, and all there is to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from pplx_local.tui.help.keys import keys_of, keys_of_app, keys_of_text
from pplx_local.tui.help.layout import heading, paragraph, table
from pplx_local.tui.help.texts import (
    ABOUT_QUERIES,
    CONFIDENCE,
    LEGS,
    MARKS,
    QUERIES,
    places,
)
from pplx_local.tui.paint import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from pplx_local.tui.app import PplxLocal

_WIDEST = 96
_ROOM_FOR_SCROLLBAR = 4


class HelpScreen(Screen[None]):
    """Everything on one page."""

    app: PplxLocal

    AUTO_FOCUS = "#page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close the help", priority=True),
        Binding("j", "scroll_line(1)", "Down", show=False),
        Binding("k", "scroll_line(-1)", "Up", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen {
        layout: vertical;
        #title { height: 1; padding: 0 1; background: $surface; }
        #page { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
        #text { height: auto; }
    }
    """

    def __init__(self, asked_on: Screen[Any]) -> None:
        """Note the keys.

        Args:
            asked_on: The screen that one comes from.
        """
        super().__init__()
        self._own, self._text = keys_of(asked_on), keys_of_text(asked_on)

    def compose(self) -> ComposeResult:
        """Lay out one page that scrolls."""
        said = plain("Help", "bold") + plain(
            "   ↑ ↓ scroll   esc close", "$foreground-muted"
        )
        yield Static(said, id="title", markup=False)
        with VerticalScroll(id="page"):
            yield Static(id="text", markup=False)

    def on_resize(self, event: Resize) -> None:
        """Lay the page out for the width that there is."""
        width = min(_WIDEST, event.size.width - _ROOM_FOR_SCROLLBAR)
        text = Content("\n\n").join(self._sections(width))
        self.query_one("#text", Static).update(text)

    def _sections(self, width: int) -> Iterator[Content]:
        yield _section("On this screen", _bold(self._own, width))
        yield _section("Everywhere", _bold(keys_of_app(self), width))
        yield _section("How to ask", _bold(QUERIES, width))
        yield paragraph(ABOUT_QUERIES, width)
        yield _section("What the marks in a passage mean", _marks(width))
        yield _section("What is ranked by", _bold(LEGS, width))
        yield _section("What the number at a hit means", paragraph(CONFIDENCE, width))
        yield _section("Where things lie", _bold(places(self.app.link.home), width))
        if self._text:
            yield _section("In a line of text", _bold(self._text, width))

    def action_scroll_line(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one("#page").scroll_relative(y=by, animate=False)

    def action_close(self) -> None:
        """Go back to where one came from."""
        self.dismiss()


def _section(title: str, body: Content) -> Content:
    return heading(title) + Content("\n") + body


def _bold(pairs: Sequence[tuple[str, str]], width: int) -> Content:
    return table([(plain(word, "bold"), said) for word, said in pairs], width)


def _marks(width: int) -> Content:
    return table([(plain(name, style), said) for name, style, said in MARKS], width)
