"""The activity screen: what is done now, what was done, and what went wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui import adding
from pplx_local.tui.activity.facts import facts
from pplx_local.tui.activity.now import now
from pplx_local.tui.activity.row import FAILURE_HEIGHT, event_line, failure_lines
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows
from pplx_local.wording.amounts import count

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.records import FileEvent, FileRecord, Status
    from pplx_local.tui.app import PplxLocal

_LANE = "activity"
_MOST_FAILURES = 1_000
_MOST_EVENTS = 500


class ActivityScreen(Screen[None]):
    """All that the CLI's status, daemon status, pause and resume do."""

    app: PplxLocal

    AUTO_FOCUS = "#recent"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause, resume"),
        Binding("u", "update", "Update all"),
        Binding("r", "retry", "Retry one"),
        Binding("R", "retry_all", "Retry all"),
        Binding("w,enter", "why", "Why"),
        Binding("i", "toggle_facts", "Details"),
        Binding("tab", "other", "Other list", priority=True),
        Binding("shift+tab", "other", "Other list", priority=True, show=False),
        Binding("escape", "leave", "Back", priority=True),
    ]
    DEFAULT_CSS = """
    ActivityScreen {
        layout: vertical;
        #now { height: auto; min-height: 2; max-height: 6; padding: 0 1; }
        #details {
            height: auto;
            max-height: 50%;
            padding: 0 1;
            border-top: hkey $foreground 20%;
            scrollbar-size-vertical: 1;
        }
        #facts { height: auto; }
        #lists { height: 1fr; layout: horizontal; }
        #lists > Vertical {
            width: 1fr;
            height: 1fr;
            border-top: hkey $foreground 20%;
        }
        #recent-pane { border-right: vkey $foreground 20%; }
        .head { height: 1; padding: 0 1; text-style: bold; }
        #lists > Vertical:focus-within > .head { color: $text-accent; }
        Rows { height: 1fr; }
    }
    ActivityScreen.-narrow #lists { layout: vertical; }
    ActivityScreen.-narrow #recent-pane { border-right: none; }
    ActivityScreen.-low #details { display: none; }
    ActivityScreen.-no-facts #details { display: none; }
    ActivityScreen.-low.-no-facts #details { display: block; height: 1fr; max-height: 100%; }
    ActivityScreen.-low.-no-facts #lists { display: none; }
    ActivityScreen.-low #lists > Vertical { border-top: none; }
    ActivityScreen.-low #now { max-height: 3; }
    ActivityScreen.-narrow.-low #failed-pane { display: none; }
    ActivityScreen.-narrow.-low.-in-failed #failed-pane { display: block; }
    ActivityScreen.-narrow.-low.-in-failed #recent-pane { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._events: list[FileEvent] = []
        """The newest first."""
        self._n_failed: int | None = None
        """When they were listed."""

    def compose(self) -> ComposeResult:
        """Lay out what is done, what is known, and the two lists."""
        yield Static(id="now", markup=False)
        with VerticalScroll(id="details", can_focus=False):
            yield Static(id="facts", markup=False)
        with Container(id="lists"):
            with Vertical(id="recent-pane"):
                yield Static("Recent", classes="head", markup=False)
                yield Rows(event_line, _number_of, id="recent")
            with Vertical(id="failed-pane"):
                yield Static("Failed", id="failed-head", classes="head", markup=False)
                yield Rows(failure_lines, _path_of, id="failed", height=FAILURE_HEIGHT)
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow what the daemon says."""
        self.watch(self.app, "status", self._show)

    # --- parts ---

    @property
    def _recent(self) -> Rows[FileEvent]:
        return self.query_one("#recent", Rows)

    @property
    def _failed(self) -> Rows[FileRecord]:
        return self.query_one("#failed", Rows)

    # --- what is shown ---

    def _show(self, status: Status | None) -> None:
        if status is None:
            self.query_one("#now", Static).update(plain("asking the daemon", "italic"))
            return
        width = max(self.size.width - 3, 1)
        self.query_one("#now", Static).update(now(status, width))
        said = facts(status, width, is_own=self.app.link.is_own)
        self.query_one("#facts", Static).update(said)
        if self.is_current:
            self._look(status.states.get("failed", 0))

    def on_resize(self) -> None:
        """Lay it out anew."""
        self._show(self.app.status)

    def on_screen_resume(self) -> None:
        """Ask for what happened meanwhile."""
        self._show(self.app.status)

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, n_failed: int) -> None:
        try:
            await self._look_at_recent()
            if n_failed != self._n_failed:
                await self._look_at_failed()
                self._n_failed = n_failed
        except PplxLocalError as error:
            self._recent.show(self._events, str(error))

    async def _look_at_recent(self) -> None:
        after = self._events[0].number if self._events else 0
        new = await self.app.link.ask(_LANE, lambda one: one.recent(after))
        if new or not self._events:
            newest = sorted(new, key=_number_of, reverse=True)
            self._events = [*newest, *self._events][:_MOST_EVENTS]
            self._show_events()

    def _show_events(self) -> None:
        """The newest stays in view, unless another one was chosen."""
        rows = self._recent
        was_at_top = rows.cursor == 0
        rows.show(self._events, "Nothing has happened since the daemon started.")
        if was_at_top:
            rows.action_go_to(0)

    async def _look_at_failed(self) -> None:
        failed = await self.app.link.ask(
            _LANE, lambda one: one.files("failed", limit=_MOST_FAILURES)
        )
        more = "+" if len(failed) == _MOST_FAILURES else ""
        said = f"Failed: {count(len(failed), 'file')}{more}" if failed else "Failed"
        self.query_one("#failed-head", Static).update(plain(said))
        self._failed.show(failed, "No file has failed.")

    # --- moving ---

    def action_other(self) -> None:
        """Go to the other list."""
        to_failed = self.focused is not self._failed
        self.set_class(to_failed, "-in-failed")
        one: Rows[Any] = self._failed if to_failed else self._recent
        self.call_after_refresh(one.focus)

    def action_toggle_facts(self) -> None:
        """Show what is known of the index, or leave its room to the lists."""
        self.toggle_class("-no-facts")

    def action_leave(self) -> None:
        """Go back to searching."""
        self.app.switch_mode("search")

    # --- doing ---

    def action_pause(self) -> None:
        """Leave changes for later, or go on."""
        daemon = self.app.status.daemon if self.app.status else None
        self._do(_resume if daemon and daemon.paused else _pause)

    def action_update(self) -> None:
        """Look through all folders again."""
        adding.update(self.app, None)

    def action_retry(self) -> None:
        """Read the chosen file again."""
        if file := self._failed.chosen:
            self._retry([Path(os.fsdecode(file.path))])

    def action_retry_all(self) -> None:
        """Read all again that failed."""
        self._retry(None)

    @work(group="do", exit_on_error=False)
    async def _retry(self, paths: list[Path] | None) -> None:
        try:
            n = await self.app.link.ask(_LANE, lambda one: one.retry(paths))
        except PplxLocalError as error:
            self.app.tell(error)
            return
        verb = "is" if n == 1 else "are"
        said = f"{count(n, 'file')} {verb} read again" if n else "No file has failed"
        self.app.notify(said, markup=False, timeout=3)
        self._n_failed = None  # also where as many have failed again
        await self.app.look()

    @on(Rows.Opened)
    def action_why(self) -> None:
        """Say what became of the chosen file."""
        from pplx_local.tui.folders.why import Why

        in_failed = self.focused is self._failed
        chosen = self._failed.chosen if in_failed else self._recent.chosen
        if chosen:
            self.app.push_screen(Why(os.fsdecode(chosen.path)))

    @work(group="do", exit_on_error=False)
    async def _do(self, call: Callable[[RemoteIndex], None]) -> None:
        try:
            await self.app.link.ask(_LANE, call)
        except PplxLocalError as error:
            self.app.tell(error)
        await self.app.look()


def _number_of(event: FileEvent) -> int:
    return event.number


def _path_of(file: FileRecord) -> bytes:
    return file.path


def _pause(daemon: RemoteIndex) -> None:
    daemon.pause()


def _resume(daemon: RemoteIndex) -> None:
    daemon.resume()
