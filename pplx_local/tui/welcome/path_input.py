"""Where a path is typed, and the folders that it may become."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from pplx_local.tui.apart import apart
from pplx_local.tui.fitting import path_content
from pplx_local.tui.rows import Rows
from pplx_local.tui.welcome.disk import completions

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.content import Content


class _Box(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", "Complete", show=False),
        Binding("down", "choose(1)", "Next folder", show=False),
        Binding("up", "choose(-1)", "Folder before", show=False),
    ]

    def action_take(self) -> None:
        """Type the rest of the chosen folder."""
        self._path.take()

    def action_choose(self, by: int) -> None:
        """Choose another one."""
        self._path.choose(by)

    @property
    def _path(self) -> PathInput:
        assert isinstance(self.parent, PathInput)
        return self.parent


class PathInput(Vertical):
    """An input for a path, with a menu below it while there is something to choose."""

    DEFAULT_CSS = """
    PathInput {
        height: auto;
        & > Input.-textual-compact { padding: 0 1; }
        & > Rows { height: auto; max-height: 6; background: $surface; display: none; }
        &.-open > Rows { display: block; }
    }
    """

    def __init__(self, placeholder: str, *, id: str | None = None) -> None:
        """Begin empty."""
        super().__init__(id=id)
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """Lay out the box and its menu."""
        yield _Box(placeholder=self._placeholder, compact=True, select_on_focus=False)
        menu: Rows[str] = Rows(_lay_out, str, id="menu")
        menu.can_focus = False
        yield menu

    @property
    def box(self) -> Input:
        """What is typed into."""
        return self.query_one(_Box)

    @property
    def menu(self) -> Rows[str]:
        """What it may become."""
        return self.query_one("#menu", Rows)

    @property
    def is_open(self) -> bool:
        """Whether there is something to choose."""
        return self.has_class("-open") and self.menu.chosen is not None

    def clear(self) -> None:
        """Begin anew."""
        self.box.value = ""

    # --- the menu ---

    @on(Input.Changed)
    def look(self, event: Input.Changed) -> None:
        """Look for what it may become."""
        event.stop()
        self._look(event.value)

    @work(exclusive=True, group="completion", exit_on_error=False)
    async def _look(self, typed: str) -> None:
        found = await apart(lambda: completions(typed))
        if found == [typed]:
            found = []
        self.menu.show(found)
        self.menu.action_go_to(0)
        self.set_class(bool(found) and self.box.has_focus, "-open")

    @on(Input.Blurred)
    def close(self) -> None:
        """Leave the room to others."""
        self.set_class(False, "-open")

    @on(Rows.Opened, "#menu")
    def take_clicked(self, event: Rows.Opened) -> None:
        """Take the folder that was clicked."""
        event.stop()
        self.take()

    def take(self) -> None:
        """Type the rest of the chosen folder; without one the key goes on."""
        chosen = self.menu.chosen
        if not self.is_open or chosen is None:
            raise SkipAction
        self.box.value = chosen
        self.box.cursor_position = len(chosen)
        self.box.focus()

    def choose(self, by: int) -> None:
        """Choose another folder; without any the key goes on."""
        if not self.is_open:
            raise SkipAction
        self.menu.action_move(by)


def _lay_out(path: str, width: int) -> list[Content]:
    return [path_content(path.rstrip("/"), width)]
