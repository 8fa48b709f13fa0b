"""The files of a folder, a page at a time: by state, and by what their paths hold."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual import on, work
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui.folders.row import file_line
from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows
from pplx_local.tui.states import SIGNS, state_content
from pplx_local.wording.amounts import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.content import Content

    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.records import FileRecord, State
    from pplx_local.tui.app import PplxLocal

_PAGE = 200
_SIFTED_PAGE = 1_000
"""Where only some of a page are shown."""
_AT_FIRST = 100
"""Rows that are found before anybody asks for more: no screen has so many."""
_MOST_AGAIN = 1_000
"""Rows that are asked for again when something has changed."""


class Wish(NamedTuple):
    """Which files are listed."""

    folder: bytes
    state: State | None = None
    words: str = ""
    """That all have to be in the path, whatever their case."""

    def takes(self, file: FileRecord) -> bool:
        """Tell whether a file's path holds all the words."""
        path = os.fsdecode(file.path).casefold()
        return all(word in path for word in self.words.casefold().split())


class Files(Vertical):
    """Lists them as far as somebody looks."""

    app: PplxLocal

    DEFAULT_CSS = """
    Files {
        #sift { height: 1; layout: horizontal; background: $surface; }
        #state { width: auto; padding: 0 1; }
        #words { width: 1fr; }
        #n-files { width: auto; padding: 0 1; color: $foreground-muted; }
        #files { height: 1fr; }
    }
    """

    class Failed(Message):
        """The files could not be had."""

        def __init__(self, error: PplxLocalError) -> None:
            super().__init__()
            self.error = error

    def __init__(self) -> None:
        """List none yet."""
        super().__init__(id="files-pane")
        self._wish: Wish | None = None
        self._states: list[State | None] = [None]
        """That files are in; None for all of them."""
        self._files: list[FileRecord] = []
        self._last: bytes | None = None
        """The last path that was asked for: where the next page begins."""
        self._is_whole = False

    def compose(self) -> ComposeResult:
        """Lay out what is listed, and the list."""
        with Horizontal(id="sift"):
            yield Static(id="state", markup=False)
            yield Input(
                id="words",
                placeholder="/ to filter",
                compact=True,
                select_on_focus=False,
            )
            yield Static(id="n-files", markup=False)
        yield Rows(self._lay_out, _path_of, id="files")

    @property
    def listed(self) -> Rows[FileRecord]:
        """Its rows."""
        return self.query_one("#files", Rows)

    def _lay_out(self, file: FileRecord, width: int) -> list[Content]:
        return file_line(file, self._wish.folder if self._wish else b"", width)

    # --- what is listed ---

    def show(self, folder: bytes | None, states: Mapping[State, int]) -> None:
        """List the files of a folder, or none; the state and the words stay.

        Args:
            folder: Its path.
            states: How many files it has in each state: those without any are passed
                over when another state is asked for.
        """
        self._states = [None, *(state for state in SIGNS if states.get(state))]
        if folder is None:
            self._wish = None
            self._clear()
        elif self._wish is None or self._wish.folder != folder:
            self._ask(
                Wish(folder)
                if self._wish is None
                else self._wish._replace(folder=folder)
            )

    def show_state(self, by: int) -> None:
        """List those in the next state, or the one before."""
        if self._wish:
            here = self._wish.state
            place = self._states.index(here) if here in self._states else 0
            state = self._states[(place + by) % len(self._states)]
            self._ask(self._wish._replace(state=state))

    @on(Input.Changed, "#words")
    def sift(self, event: Input.Changed) -> None:
        """List those that hold what is typed."""
        event.stop()
        if self._wish:
            self._ask(self._wish._replace(words=event.value))

    @on(Input.Submitted, "#words")
    def go_to_list(self, event: Input.Submitted) -> None:
        """Go from what is typed to what it leaves."""
        event.stop()
        self.listed.focus()

    def look_again(self) -> None:
        """Ask anew for what is seen: something has changed.

        Who has gone far down the list is left alone: it would end under the cursor.
        """
        if self._wish and len(self._files) <= _MOST_AGAIN:
            self._load(self._wish, max(len(self._files), _AT_FIRST), is_quiet=True)

    def _ask(self, wish: Wish) -> None:
        self._wish = wish
        self._show_state()
        self.listed.action_go_to(0)
        self._load(wish, _AT_FIRST)

    def _clear(self) -> None:
        self.workers.cancel_group(self, "files")
        self._files, self._is_whole = [], True
        self._show_state()
        self._show_files("")

    # --- asking ---

    @on(Rows.NearEnd, "#files")
    def ask_for_more(self, event: Rows.NearEnd) -> None:
        """Ask for the next page."""
        event.stop()
        is_asking = any(one.group == "files" and one.is_running for one in self.workers)
        if self._wish and not self._is_whole and not is_asking:
            self._go_on(self._wish, len(self._files) + 1)

    @work(exclusive=True, group="files", exit_on_error=False)
    async def _load(self, wish: Wish, n_wanted: int, *, is_quiet: bool = False) -> None:
        """List from the start; quietly: what is shown stays until all is there."""
        before = self._files
        self._files, self._last, self._is_whole = [], None, False
        try:
            await self._fetch(wish, n_wanted, is_quiet=is_quiet)
        except PplxLocalError as error:
            self._files = before
            self.post_message(self.Failed(error))

    @work(exclusive=True, group="files", exit_on_error=False)
    async def _go_on(self, wish: Wish, n_wanted: int) -> None:
        try:
            await self._fetch(wish, n_wanted)
        except PplxLocalError as error:
            self.post_message(self.Failed(error))

    async def _fetch(
        self, wish: Wish, n_wanted: int, *, is_quiet: bool = False
    ) -> None:
        """Ask for pages until so many files are listed, or all are."""
        folder = Path(os.fsdecode(wish.folder))
        size = _SIFTED_PAGE if wish.words else _PAGE
        while True:
            ask = partial(
                _page, state=wish.state, folder=folder, after=self._last, limit=size
            )
            page = await self.app.link.ask("files", ask)
            self._is_whole = len(page) < size
            self._last = page[-1].path if page else self._last
            self._files = [*self._files, *filter(wish.takes, page)]
            if self._is_whole or len(self._files) >= n_wanted:
                break
            if not is_quiet:
                self._show_files("looking further")
        self._show_files("no such file here")

    # --- saying ---

    def _show_files(self, empty: str) -> None:
        self.listed.show(self._files, empty)
        more = "" if self._is_whole else "+"
        said = count(len(self._files), "file").replace(" ", f"{more} ", 1)
        self.query_one("#n-files", Static).update(said if self._wish else "")

    def _show_state(self) -> None:
        state = self._wish.state if self._wish else None
        said = (
            state_content(state) if state else plain("all states", "$foreground-muted")
        )
        self.query_one("#state", Static).update(said)


def _page(
    daemon: RemoteIndex,
    *,
    state: State | None,
    folder: Path,
    after: bytes | None,
    limit: int,
) -> list[FileRecord]:
    return daemon.files(state, folder, after=after, limit=limit)


def _path_of(file: FileRecord) -> bytes:
    return file.path
