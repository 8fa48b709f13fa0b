"""One of a few words: the list of them, and each as it would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.content import Content


class Choose(ModalScreen[str | None]):
    """Asks for one of a few words; `push_screen_wait` gives it, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave it as it is", show=False, priority=True)
    ]
    DEFAULT_CSS = """
    Choose {
        align: center middle;
        background: $background 30%;
        & > #box {
            width: 56;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 1 2;
            background: $surface;
            border: round $primary;
        }
        Static { height: auto; }
        #question { text-style: bold; }
        #about { color: $text-muted; margin-bottom: 1; }
        #choices { height: auto; max-height: 12; background: $surface; }
    }
    Choose.-low > #box { padding: 0 1; }
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

    def action_leave(self) -> None:
        """Take none."""
        self.dismiss(None)
