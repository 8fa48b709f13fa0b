"""Which folder a checkpoint is taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from pplx_local.tui.welcome.path_input import PathInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

_ABOUT = (
    "A folder with config.json, tokenizer.json and safetensors, such as a snapshot of "
    "the Hugging Face cache. It is copied into the home and compared with what was "
    "published."
)


class ImportDialog(ModalScreen[str | None]):
    """Asks for a folder; `push_screen_wait` gives it, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Import nothing", show=False, priority=True)
    ]
    DEFAULT_CSS = """
    ImportDialog {
        align: center middle;
        & > #box {
            width: 76;
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
        #keys { color: $text-muted; margin-top: 1; }
    }
    ImportDialog.-low > #box { padding: 0 1; }
    ImportDialog.-low #about, ImportDialog.-low #keys { display: none; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the question and the path."""
        with Vertical(id="box"):
            yield Static("Which folder holds the checkpoint?", id="question")
            yield Static(_ABOUT, id="about", markup=False)
            yield PathInput("~/Downloads/model", id="folder")
            yield Static("⏎ import it   tab complete   esc leave", id="keys")

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(PathInput).box.focus()

    def action_leave(self) -> None:
        """Import nothing."""
        self.dismiss(None)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Give the folder; whether it is one is found out by who imports it."""
        if folder := event.value.strip():
            self.dismiss(folder)
