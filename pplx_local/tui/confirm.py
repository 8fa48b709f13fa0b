"""A question before something that takes long, or cannot be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from pplx_local.tui.dialog import Dialog
from pplx_local.tui.paint import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Confirm(Dialog[bool]):
    """Says what is about to be done, and asks; `push_screen_wait` gives the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape", "answer(False)", "No", show=False, priority=True),
        Binding("left,right,up,down", "other", "The other answer", show=False),
    ]
    DEFAULT_CSS = """
    Confirm {
        #lines { height: auto; max-height: 100%; }
        #question { padding-bottom: 1; }
        #answers { height: 1; margin-top: 1; align-horizontal: right; }
        Button {
            border: none;
            height: 1;
            min-width: 8;
            margin-left: 2;
            &:focus { text-style: bold reverse; }
        }
    }
    Confirm.-low #question { padding-bottom: 0; }
    Confirm.-low #answers { margin-top: 0; }
    """

    def __init__(
        self,
        question: str,
        lines: Sequence[str] = (),
        *,
        yes: str = "Yes",
        is_grave: bool = False,
    ) -> None:
        """Prepare.

        Args:
            question: What would be done, as a question.
            lines: What it means; nothing in them is obeyed.
            yes: What to call the answer that does it.
            is_grave: Whether it cannot be undone: then enter alone does nothing.
        """
        super().__init__()
        self._question, self._lines = question, lines
        self._yes, self._is_grave = yes, is_grave

    def compose(self) -> ComposeResult:
        """Lay out the question, what it means, and the answers."""
        with Vertical(id="box"):
            with VerticalScroll(id="lines", can_focus=False):
                yield Static(plain(self._question), id="question", markup=False)
                for line in self._lines:
                    yield Static(plain(line), markup=False)
            with Horizontal(id="answers"):
                yield Button(plain(f"{self._yes} (y)"), id="yes", compact=True)
                yield Button(plain("Cancel (n)"), id="no", compact=True)

    def on_mount(self) -> None:
        """Offer the answer that does no harm."""
        self.query_one("#no" if self._is_grave else "#yes").focus()

    def action_answer(self, answer: bool) -> None:
        """Answer."""
        self.dismiss(answer)

    def action_other(self) -> None:
        """Go to the other button."""
        self.focus_next(Button)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Answer by a button."""
        self.dismiss(event.button.id == "yes")
