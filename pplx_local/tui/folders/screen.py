"""The folders screen: what is watched, and what became of the files there."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui import adding
from pplx_local.tui.confirm import Confirm
from pplx_local.tui.fitting import at_home, both_ends
from pplx_local.tui.folders.files import Files
from pplx_local.tui.folders.row import (
    FOLDER_HEIGHT,
    about_file,
    about_folder,
    folder_lines,
)
from pplx_local.tui.folders.why import Why
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows
from pplx_local.wording.amounts import age_in_words, count

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import DescendantFocus

    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.records import FolderStatus, Status
    from pplx_local.tui.app import PplxLocal

_LANE = "folders"
_LOOK_AGAIN_S = 2.0
"""Between two looks at the files while they are indexed."""


class FoldersScreen(Screen[None]):
    """All that the CLI's add, remove, update, pause, resume and files do."""

    app: PplxLocal

    AUTO_FOCUS = "#folders"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add"),
        Binding("delete,d", "remove", "Remove"),
        Binding("u", "update", "Update now"),
        Binding("p", "pause", "Pause, resume"),
        Binding("s", "show_state(1)", "State"),
        Binding("S", "show_state(-1)", "State before", show=False),
        Binding("slash", "sift", "Filter"),
        Binding("w", "why", "Why"),
        Binding("tab", "other", "Other list", priority=True),
        Binding("shift+tab", "other", "Other list", priority=True, show=False),
        Binding("escape", "leave", "Back", priority=True),
    ]
    DEFAULT_CSS = """
    FoldersScreen {
        layout: vertical;
        #title { height: 1; padding: 0 1; }
        #folders { height: auto; min-height: 2; max-height: 40%; }
        #files-pane { height: 1fr; border-top: hkey $foreground 20%; }
        #about { height: auto; max-height: 4; padding: 0 1; background: $surface; }
    }
    FoldersScreen.-low #files-pane { border-top: none; display: none; }
    FoldersScreen.-low #folders { height: 1fr; max-height: 100%; }
    FoldersScreen.-low.-in-files #files-pane { display: block; }
    FoldersScreen.-low.-in-files #folders { display: none; }
    FoldersScreen.-low #about { max-height: 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._states: object = None
        """Of the folder whose files are listed, when they were asked for."""
        self._looked_at = 0.0

    def compose(self) -> ComposeResult:
        """Lay out the folders, the files of one, and what is to say of a row."""
        yield Static(id="title", markup=False)
        yield Rows(folder_lines, _path_of, id="folders", height=FOLDER_HEIGHT)
        yield Files()
        yield Static(id="about", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow what the daemon says."""
        self.watch(self.app, "status", self._show)

    # --- parts ---

    @property
    def _folders(self) -> Rows[FolderStatus]:
        return self.query_one("#folders", Rows)

    @property
    def _files(self) -> Files:
        return self.query_one(Files)

    @property
    def _is_in_files(self) -> bool:
        return self.has_class("-in-files")

    # --- what is shown ---

    def _show(self, status: Status | None) -> None:
        if status is None or not self.is_current:
            return
        self.query_one("#title", Static).update(_title(status, self.size.width - 2))
        self._folders.show(status.folders, "No folder yet: a adds one.")
        self._show_files()

    def on_resize(self) -> None:
        """Lay the title out anew."""
        self._show(self.app.status)

    def on_screen_resume(self) -> None:
        """Show what has changed meanwhile."""
        self._show(self.app.status)

    @on(Rows.Chosen, "#folders")
    def show_chosen(self) -> None:
        """List the files of the chosen folder."""
        self._show_files()
        self._say_about()

    def _show_files(self) -> None:
        folder = self._folders.chosen
        if folder is None:
            self._files.show(None, {})
            return
        self._files.show(folder.path, folder.states)
        states = (folder.path, dict(folder.states))
        is_due = time.monotonic() - self._looked_at >= _LOOK_AGAIN_S
        if states != self._states and is_due:
            self._states, self._looked_at = states, time.monotonic()
            self._files.look_again()

    @on(Rows.Chosen, "#files")
    def _say_about(self) -> None:
        file, folder = self._files.listed.chosen, self._folders.chosen
        said: Any = ""
        if self._is_in_files and file:
            said = about_file(file)
        elif folder:
            said = about_folder(folder)
        self.query_one("#about", Static).update(said)

    @on(Files.Failed)
    def tell(self, event: Files.Failed) -> None:
        """Say why there is no list."""
        self.query_one("#about", Static).update(plain(str(event.error), "$text-error"))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Say of the list that is used."""
        self.set_class(self._files in event.widget.ancestors, "-in-files")
        self._say_about()

    # --- moving ---

    @on(Rows.Opened, "#folders")
    def action_other(self) -> None:
        """Go to the other list."""
        to_files = not self._is_in_files
        self.set_class(to_files, "-in-files")
        one = self._files.listed if to_files else self._folders
        self.call_after_refresh(one.focus)

    def action_sift(self) -> None:
        """Type what the paths have to hold."""
        self.set_class(True, "-in-files")
        self.call_after_refresh(self._files.query_one(Input).focus)

    def action_show_state(self, by: int) -> None:
        """List the files in another state."""
        self._files.show_state(by)

    def action_leave(self) -> None:
        """Leave what is typed, then the files, then the screen."""
        words = self._files.query_one(Input)
        if words.value or words.has_focus:
            words.value = ""
            self._files.listed.focus()
        elif self._is_in_files:
            self.action_other()
        else:
            self.app.switch_mode("search")

    # --- doing ---

    def action_add(self) -> None:
        """Choose folders to add."""
        from pplx_local.tui.welcome import WelcomeScreen

        self.app.push_screen(WelcomeScreen())

    def action_update(self) -> None:
        """Look through the chosen folder again."""
        if folder := self._folders.chosen:
            adding.update(self.app, [_as_path(folder)])
            said = f"Looking through {at_home(folder.path)}"
            self.app.notify(said, markup=False, timeout=3)

    def action_pause(self) -> None:
        """Leave changes for later, or go on."""
        daemon = self.app.status.daemon if self.app.status else None
        self._do(_resume if daemon and daemon.paused else _pause)

    @work(exclusive=True, group="remove", exit_on_error=False)
    async def action_remove(self) -> None:
        """Forget the chosen folder, after a question."""
        folder = self._folders.chosen
        if folder is None:
            return
        question = Confirm(
            f"Forget {at_home(folder.path)}?",
            (
                f"{count(sum(folder.states.values()), 'file')} will not be found any more.",
                "The files themselves stay where they are.",
                "What was stored of them goes from the disk a day later.",
            ),
            yes="Forget",
            is_grave=True,
        )
        if await self.app.push_screen_wait(question):
            self._do(partial(_forget, path=_as_path(folder)))

    def action_why(self) -> None:
        """Ask what became of any path."""
        file, folder = self._files.listed.chosen, self._folders.chosen
        chosen = file.path if self._is_in_files and file else None
        chosen = chosen or (folder.path if folder else b"")
        self.app.push_screen(Why(os.fsdecode(chosen)))

    @work(group="do", exit_on_error=False)
    async def _do(self, call: Any) -> None:
        try:
            await self.app.link.ask(_LANE, call)
        except PplxLocalError as error:
            self.app.tell(error)
        await self.app.look()


def _title(status: Status, width: int) -> Any:
    n_files = sum(status.states.values())
    folders = count(len(status.folders), "folder")
    left = plain(f"{folders}, {count(n_files, 'file')}", "bold")
    if status.daemon and status.daemon.paused:
        left += plain("  paused: p goes on", "bold $text-warning")
    return both_ends(left, plain(_fresh(status), "$foreground-muted"), width)


def _fresh(status: Status) -> str:
    if not status.folders:
        return ""
    moment_ns = status.fresh_as_of_ns
    if moment_ns is None:
        return "not all looked through yet"
    return f"fresh as of {age_in_words(moment_ns)}"


def _path_of(folder: FolderStatus) -> bytes:
    return folder.path


def _as_path(folder: FolderStatus) -> Path:
    return Path(os.fsdecode(folder.path))


def _pause(daemon: RemoteIndex) -> None:
    daemon.pause()


def _resume(daemon: RemoteIndex) -> None:
    daemon.resume()


def _forget(daemon: RemoteIndex, path: Path) -> int:
    return daemon.remove_folder(path)
