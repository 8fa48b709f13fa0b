"""Choosing folders: typed or picked in a tree, each with what adding it would mean."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui import adding
from pplx_local.tui.apart import apart
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.paint import plain
from pplx_local.tui.welcome.chosen import ChosenFolder
from pplx_local.tui.welcome.disk import chosen
from pplx_local.tui.welcome.path_input import PathInput
from pplx_local.tui.welcome.totals import model, total
from pplx_local.tui.welcome.tree import FolderTree
from pplx_local.wording.amounts import count
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import DescendantFocus

    from pplx_local.records import ModelRecord, Status
    from pplx_local.tui.app import PplxLocal

_PROMISE = "Nothing leaves this computer, and no file is changed."
_HINT = "Type a path and press enter, or pick a folder in the tree with space."
_STARTED = "Searching works from the first file on. F4 shows how far it is."


class WelcomeScreen(Screen[None]):
    """What the first run shows, and whoever adds folders later."""

    app: PplxLocal

    AUTO_FOCUS = "PathInput Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "start", "Start now", priority=True),
        Binding("ctrl+t", "to_tree", "Tree", priority=True),
        Binding("space", "pick", "Pick in the tree"),
        Binding("full_stop", "toggle_hidden", "Hidden folders"),
        Binding("backspace,delete", "take_away", "Take away"),
        Binding("escape", "leave", "Not now", priority=True),
    ]
    DEFAULT_CSS = """
    WelcomeScreen {
        layout: vertical;
        #title { height: 1; padding: 0 1; }
        #said { height: auto; max-height: 3; padding: 0 1; display: none; }
        #body { height: 1fr; layout: horizontal; }
        #tree { width: 1fr; height: 1fr; padding: 0 1; }
        #chosen {
            width: 2fr;
            height: 1fr;
            padding: 0 1;
            border-left: vkey $foreground 20%;
            scrollbar-size-vertical: 1;
        }
        #hint { color: $foreground-muted; }
        #end { height: 1; background: $surface; }
        #total { width: 1fr; height: 1; padding: 0 1; }
        #start { width: auto; min-width: 13; }
        #model { height: auto; max-height: 2; padding: 0 1; }
    }
    WelcomeScreen.-narrow #body { layout: vertical; }
    WelcomeScreen.-narrow #chosen { width: 1fr; border-left: none; }
    WelcomeScreen.-narrow.-low #chosen { display: none; }
    WelcomeScreen.-narrow.-low.-settled #chosen { display: block; }
    WelcomeScreen.-narrow.-low.-settled #tree { display: none; }
    WelcomeScreen.-low #model { max-height: 1; }
    WelcomeScreen.-low PathInput > Rows { max-height: 3; }
    """

    def __init__(self, *, is_first: bool = False) -> None:
        """Begin.

        Args:
            is_first: Whether no folder is registered yet.
        """
        super().__init__()
        self._is_first = is_first
        self._models: Sequence[ModelRecord] = ()

    def compose(self) -> ComposeResult:
        """Lay out what is typed, the tree, what is chosen and what it means."""
        what = "Which folders should be searched?" if self._is_first else "Add folders"
        title = plain(f"{what}  ", "bold $text-accent") + plain(
            _PROMISE, "$foreground-muted"
        )
        yield Static(title, id="title", markup=False)
        yield PathInput("A folder, such as ~/Documents (tab completes)")
        yield Static(id="said", markup=False)
        with Container(id="body"):
            yield FolderTree(Path.home())
            with VerticalScroll(id="chosen", can_focus=False):
                yield Static(_HINT, id="hint", markup=False)
        with Horizontal(id="end"):
            yield Static(id="total", markup=False)
            start = Button("Start now", id="start", variant="primary", compact=True)
            start.display = False
            yield start
        yield Static(id="model", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow what the daemon says of its model."""
        self.watch(self.app, "status", self._show_model)
        self._list_models()

    # --- parts ---

    @property
    def chosen(self) -> list[ChosenFolder]:
        """The folders that are chosen, in that order."""
        return [one for one in self.query(ChosenFolder) if not one.has_class("-gone")]

    @property
    def _input(self) -> PathInput:
        return self.query_one(PathInput)

    def _show_model(self, status: Status | None) -> None:
        self.query_one("#model", Static).update(model(status, self._models))

    @work(exit_on_error=False)
    async def _list_models(self) -> None:
        with suppress(PplxLocalError):  # what is said without them will do
            listed = await self.app.link.ask("models", lambda one: one.models())
            self._models = listed.models
            self._show_model(self.app.status)

    def _say(self, error: str) -> None:
        said = self.query_one("#said", Static)
        said.update(plain(error, "bold $text-error"))
        said.display = bool(error)

    # --- choosing ---

    @on(Input.Submitted)
    def choose_typed(self, event: Input.Submitted) -> None:
        """Choose what was typed; where nothing was, start."""
        if event.value.strip():
            self._choose_typed(event.value)
        else:
            self.action_start()

    @work(exclusive=True, group="choose", exit_on_error=False)
    async def _choose_typed(self, typed: str) -> None:
        path, refusal = await apart(lambda: chosen(typed))
        if refusal and self._input.is_open:
            self._input.take()
        elif self._take(path, refusal):
            self._input.clear()

    @on(FolderTree.Picked)
    def choose_picked(self, event: FolderTree.Picked) -> None:
        """Choose what was picked; picked again, it is no longer."""
        for one in self.chosen:
            if one.path == event.path:
                self._take_away(one)
                return
        self._take(event.path, None)

    def _take(self, path: Path, refusal: str | None) -> bool:
        """Choose a folder, or say why not; whether it is chosen."""
        refusal = refusal or self._why_known(path)
        self._say(refusal or "")
        if refusal:
            return False
        folder = ChosenFolder(path)
        self.query_one("#chosen").mount(folder)
        self.call_after_refresh(self._show_chosen)
        self.call_after_refresh(folder.scroll_visible)
        return True

    def _why_known(self, path: Path) -> str | None:
        """Say which folder holds the path already; None for none."""
        for one in self.chosen:
            if path.is_relative_to(one.path):
                return f"{visible(str(one.path))} is chosen already"
        for folder in self.app.status.folders if self.app.status else ():
            if bytes(path) == folder.path:
                return f"{visible(str(path))} is searched already"
        return None

    def _take_away(self, folder: ChosenFolder) -> None:
        folder.add_class("-gone")
        folder.remove()
        self._show_chosen()

    @on(ChosenFolder.Surveyed)
    def _show_chosen(self) -> None:
        chosen = self.chosen
        self.query_one("#hint").display = not chosen
        self.query_one("#start").display = bool(chosen)
        self.query_one(FolderTree).mark([one.path for one in chosen])
        said = total([one.survey for one in chosen]) if chosen else ""
        self.query_one("#total", Static).update(said)
        self._settle()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Where there is little room, show what is used."""
        self._settle()

    def _settle(self) -> None:
        in_tree = isinstance(self.focused, FolderTree)
        self.set_class(bool(self.chosen) and not in_tree, "-settled")

    # --- actions ---

    def action_to_tree(self) -> None:
        """Go to the tree, or back to what is typed."""
        if isinstance(self.focused, FolderTree):
            self._input.box.focus()
            return
        self.set_class(False, "-settled")
        self.call_after_refresh(self.query_one(FolderTree).focus)

    def action_pick(self) -> None:
        """Choose the folder under the tree's cursor."""
        self.query_one(FolderTree).action_pick()

    def action_toggle_hidden(self) -> None:
        """Show hidden folders in the tree, or no longer."""
        self.query_one(FolderTree).action_toggle_hidden()

    def action_take_away(self) -> None:
        """Take the focused folder away, else the one that was chosen last."""
        if chosen := self.chosen:
            focused = self.focused
            one = focused if isinstance(focused, ChosenFolder) else chosen[-1]
            self._take_away(one)

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Add the folders; searching need not wait."""
        paths = [one.path for one in self.chosen]
        if not paths:
            self._say("Choose a folder first.")
            return
        adding.add(self.app, paths)
        self.app.notify(
            _STARTED, title=f"{count(len(paths), 'folder')} added", markup=False
        )
        self.dismiss()

    def action_leave(self) -> None:
        """Add none."""
        self.dismiss()
