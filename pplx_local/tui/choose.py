"""One of a few words: the list of them, and each as it would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.widgets import Static

from pplx_local.tui.dialog import Dialog
from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.content import Content


class Choose(Dialog[str]):
    """Asks for one of a few words; `push_screen_wait` gives it, or None."""

    DEFAULT_CSS = """
    Choose {
        background: $background 30%;
        & > #box { width: 56; }
        #choices { height: auto; max-height: 12; background: $surface; }
    }
    Choose.-low #about { display: none; }
    Choose.-low #choices { max-height: 6; }
    """

    def __init__(
        self,
        question: str,
        about: str,
        choices: Sequence[str],
        now: str,
        *,
        preview: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            question: What is asked for.
            about: What it is for.
            choices: The words.
            now: The one that is chosen now.
            preview: Called for each that is under the cursor.
        """
        super().__init__()
        self._question, self._about = question, about
        self._choices, self._now, self._preview = choices, now, preview

    def compose(self) -> ComposeResult:
        """Lay out the question and the words."""
        with Vertical(id="box"):
            yield Static(plain(self._question), id="question", markup=False)
            yield Static(plain(self._about), id="about", markup=False)
            yield Rows(self._lay_out, str, id="choices")

    def on_mount(self) -> None:
        """Begin with the one that is chosen now."""
        rows = self.query_one(Rows)
        rows.show(self._choices)
        if self._now in self._choices:
            rows.action_go_to(self._choices.index(self._now))
        rows.focus()

    def _lay_out(self, word: str, width: int) -> list[Content]:
        return [plain(f" {'●' if word == self._now else ' '} {word}")]

    @on(Rows.Chosen)
    def show_choice(self, event: Rows.Chosen) -> None:
        """Show it as it would be."""
        if self._preview and event.rows.chosen is not None:
            self._preview(event.rows.chosen)

    @on(Rows.Opened)
    def take(self, event: Rows.Opened) -> None:
        """Give the word."""
        event.stop()
        self.dismiss(event.rows.chosen)
