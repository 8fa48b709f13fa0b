"""Which folder a checkpoint is taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.widgets import Input, Static

from pplx_local.tui.dialog import Dialog
from pplx_local.tui.welcome.path_input import PathInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

_ABOUT = (
    "A folder with config.json, tokenizer.json and safetensors, such as a snapshot of "
    "the Hugging Face cache. It is copied into the home and compared with what was "
    "published."
)


class ImportDialog(Dialog[str]):
    """Asks for a folder; `push_screen_wait` gives it, or None."""

    DEFAULT_CSS = """
    ImportDialog > #box { width: 76; }
    ImportDialog.-low #about { display: none; }
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

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Give the folder; whether it is one is found out by who imports it."""
        if folder := event.value.strip():
            self.dismiss(folder)
