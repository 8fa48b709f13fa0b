"""What a pull, an import or a check says while it runs, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from pplx_local.tui.fitting import bar
from pplx_local.tui.models.child import Step
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import size_in_words, time_in_words

if TYPE_CHECKING:
    from textual.app import ComposeResult

_MOST_LINES = 400
_BAR = 24


class ErrandView(Vertical):
    """A title with how far it is, and below it what was said."""

    DEFAULT_CSS = """
    ErrandView {
        display: none;
        height: auto;
        max-height: 45%;
        padding: 0 1;
        border-top: hkey $surface-lighten-2;
        &.-shown { display: block; }
        & > #title { height: auto; }
        & > VerticalScroll { height: auto; max-height: 10; scrollbar-size-vertical: 1; }
        #said { height: auto; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        """Begin unseen."""
        super().__init__(id="errand")
        self._title = ""
        self._lines: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out the title and the lines."""
        yield Static(id="title", markup=False)
        with VerticalScroll(can_focus=False):
            yield Static(id="said", markup=False)

    def begin(self, title: str) -> None:
        """Show that something has begun."""
        self._title, self._lines = title, []
        self.set_class(True, "-shown")
        self._entitle(plain("…", "$foreground-muted"))
        self._say()

    def tell(self, told: str | Step) -> None:
        """Show a line, or how far it is."""
        if not self.is_attached:  # the interface is ending
            return
        if isinstance(told, Step):
            self._entitle(_far(told))
        elif told.strip():
            self._lines = [*self._lines, told][-_MOST_LINES:]
            self._say()

    def end(self, how: str, style: str) -> None:
        """Show how it ended."""
        self._entitle(plain(how, style))

    def hide(self) -> None:
        """Leave the room to the models."""
        self.set_class(False, "-shown")

    def _entitle(self, state: Content) -> None:
        title = plain(f"{self._title}  ", "bold") + state
        self.query_one("#title", Static).update(title)

    def _say(self) -> None:
        said = Content("\n").join(map(plain, self._lines))
        self.query_one("#said", Static).update(said)
        self.query_one(VerticalScroll).scroll_end(animate=False)


def _far(step: Step) -> Content:
    share = step.done / step.total if step.total else 0.0
    said = f" {size_in_words(step.done)} of {size_in_words(step.total)}"
    if step.seconds_left is not None:
        said += f", {time_in_words(step.seconds_left)} left"
    return bar(share, _BAR) + plain(said)
