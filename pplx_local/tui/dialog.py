"""What all dialogs share: a box in the middle, and a key that leaves everything as it is."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Asks for something; `push_screen_wait` gives it, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave it as it is", show=False, priority=True)
    ]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > #box {
            width: 72;
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
    Dialog.-low > #box { padding: 0 1; }
    Dialog.-low #about { margin-bottom: 0; }
    Dialog.-low #keys { display: none; }
    """

    def action_leave(self) -> None:
        """Give no answer."""
        self.dismiss(None)
