"""What became of any path, and why: also of one that is in no list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Vertical
from textual.widgets import Input, Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui.dialog import Dialog
from pplx_local.tui.paint import plain
from pplx_local.tui.welcome.disk import typed_path
from pplx_local.tui.welcome.path_input import PathInput
from pplx_local.wording.visible import HOSTILE

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pplx_local.tui.app import PplxLocal


class Why(Dialog[None]):
    """Asks for a path and says it, again and again."""

    app: PplxLocal

    DEFAULT_CSS = """
    Why {
        & > #box { width: 90%; max-width: 100; }
        #answer { height: auto; max-height: 8; margin-top: 1; }
    }
    """

    def __init__(self, path: str) -> None:
        """Prepare.

        Args:
            path: What to begin with; one that a terminal would obey is asked for, and
                not typed.
        """
        super().__init__()
        self._path = path

    def compose(self) -> ComposeResult:
        """Lay out the path and the answer."""
        with Vertical(id="box"):
            yield Static("What became of this path?", id="question", markup=False)
            yield PathInput("A file or a folder (tab completes)")
            yield Static(id="answer", markup=False)

    def on_mount(self) -> None:
        """Answer for the path that was chosen."""
        if not HOSTILE.search(self._path):
            box = self.query_one(Input)
            box.value = self._path
            box.cursor_position = len(self._path)
        if self._path:
            self._ask(Path(self._path))

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        """Ask for what was typed."""
        event.stop()
        self._ask(typed_path(event.value))

    @work(exclusive=True, exit_on_error=False)
    async def _ask(self, path: Path) -> None:
        try:
            said = plain(await self.app.link.ask("files", lambda one: one.why(path)))
        except PplxLocalError as error:
            said = plain(str(error), "$text-error")
        self.query_one("#answer", Static).update(said)
