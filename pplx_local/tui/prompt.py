"""A line that is asked for: typed, looked at, and taken or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui.dialog import Dialog
from pplx_local.tui.paint import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Prompt(Dialog[str]):
    """Asks for a line; `push_screen_wait` gives it, or None."""

    DEFAULT_CSS = """
    Prompt #line { border: none; height: 1; padding: 0 1; }
    Prompt #wrong { color: $text-error; }
    """

    def __init__(
        self,
        question: str,
        about: str = "",
        *,
        value: str = "",
        choices: Sequence[str] = (),
        check: Callable[[str], object] | None = None,
    ) -> None:
        """Prepare.

        Args:
            question: What is asked for.
            about: What it is for.
            value: What stands there at first.
            choices: Offered while one types; right takes the one offered.
            check: Raises PplxLocalError for a line that cannot be taken.
        """
        super().__init__()
        self._question, self._about, self._value = question, about, value
        self._choices, self._check = choices, check

    def compose(self) -> ComposeResult:
        """Lay out the question, the line, and what is wrong with it."""
        suggester = SuggestFromList(self._choices) if self._choices else None
        with Vertical(id="box"):
            yield Static(plain(self._question), id="question", markup=False)
            yield Static(plain(self._about), id="about", markup=False)
            yield Input(self._value, id="line", suggester=suggester, compact=True)
            yield Static(id="wrong", markup=False)
            yield Static("⏎ take it   esc leave it as it is", id="keys", markup=False)

    @on(Input.Changed)
    def forgive(self) -> None:
        """What was wrong is being changed."""
        self.query_one("#wrong", Static).update("")

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Give the line, if it can be taken."""
        try:
            if self._check:
                self._check(event.value)
        except PplxLocalError as error:
            self.query_one("#wrong", Static).update(plain(str(error)))
            return
        self.dismiss(event.value)
