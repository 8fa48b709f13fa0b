"""The settings screen: what can be set, what it is for, and when a change counts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from pplx_local.config import (
    KEYS,
    Key,
    Settings,
    Value,
    load_settings,
    parse_value,
    write_setting,
)
from pplx_local.daemon.wire import ANEW
from pplx_local.errors import PplxLocalError
from pplx_local.tui.apart import apart
from pplx_local.tui.choose import Choose
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.paint import plain
from pplx_local.tui.prompt import Prompt
from pplx_local.tui.rows import Rows
from pplx_local.tui.settings.anew import end_daemon
from pplx_local.tui.settings.own import choose_theme, forget_queries
from pplx_local.tui.settings.rows import (
    HISTORY,
    THEME,
    SettingRow,
    details,
    lay_out,
    rows_of,
)
from pplx_local.wording.settings import value_in_words

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pplx_local.tui.app import PplxLocal

_ANOTHER = "another…"


class SettingsScreen(Screen[None]):
    """What can be set, with what it is for."""

    app: PplxLocal

    AUTO_FOCUS = "#settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "change", "Change"),
        Binding("d", "default", "Default"),
        Binding("a", "anew", "Start the daemon anew"),
        Binding("t", "theme", "Theme"),
        Binding("f", "forget", "Forget the questions", show=False),
        Binding("r", "look", "Look again", show=False),
        Binding("escape", "leave", "Back"),
    ]
    DEFAULT_CSS = """
    SettingsScreen {
        layout: vertical;
        #file { height: 1; padding: 0 1; background: $surface; }
        #parts { height: 1fr; layout: horizontal; }
        #settings { width: 1fr; height: 1fr; }
        #about {
            width: 1fr;
            padding: 0 1;
            border-left: vkey $surface-lighten-2;
            scrollbar-size-vertical: 1;
        }
        #details { height: auto; }
    }
    SettingsScreen.-narrow #parts { layout: vertical; }
    SettingsScreen.-narrow #settings { width: 100%; height: 3fr; }
    SettingsScreen.-narrow #about {
        width: 100%;
        height: 2fr;
        border-left: none;
        border-top: hkey $surface-lighten-2;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._written: Mapping[str, Value] | None = None
        self._in_force: Mapping[str, Value] = {}

    def compose(self) -> ComposeResult:
        """Lay out where they lie, the list, and what is known of one."""
        yield Static(id="file", markup=False)
        with Container(id="parts"):
            yield Rows(lay_out, _name, id="settings")
            with VerticalScroll(id="about", can_focus=False):
                yield Static(id="details", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Say where they lie."""
        self._say("$foreground-muted", str(self._file))

    def on_screen_resume(self) -> None:
        """Somebody looks at it: an editor may have changed the file."""
        self.action_look()

    # --- showing ---

    @property
    def settings(self) -> Rows[SettingRow]:
        """What can be set."""
        return self.query_one("#settings", Rows)

    @property
    def _file(self) -> Path:
        return Settings(self.app.link.home).file

    @work(exclusive=True, group="settings", exit_on_error=False)
    async def action_look(self) -> None:
        """Read the file, and ask the daemon what it goes by."""
        await self._look()

    async def _look(self) -> None:
        home = self.app.link.home
        try:
            found = await apart(lambda: load_settings(home))
            self._written = {name: getattr(found, name) for name in KEYS}
            self._show()
            self._in_force = await self.app.link.ask(
                "settings", lambda daemon: daemon.follow_settings()
            )
        except PplxLocalError as error:
            self._say("$text-error", str(error))
            return
        self._say("$foreground-muted", str(found.file))
        self._show()

    def _show(self) -> None:
        if self._written:
            rows = rows_of(self._written, self._in_force, self.app.memory)
            self.settings.show(rows)

    def _say(self, style: str, said: str) -> None:
        self.query_one("#file", Static).update(plain(said, style))

    @on(Rows.Chosen, "#settings")
    def show_details(self) -> None:
        """Say more of the one under the cursor."""
        said = details(self.settings.chosen, is_own=self.app.link.is_own)
        self.query_one("#details", Static).update(said)

    # --- changing ---

    @on(Rows.Opened, "#settings")
    def change_entered(self) -> None:
        """Change the one that was entered, or clicked twice."""
        self.action_change()

    def action_change(self) -> None:
        """Change what is under the cursor."""
        row = self.settings.chosen
        if row is None:
            return
        if row.name == THEME:
            self.action_theme()
        elif row.name == HISTORY:
            self.action_forget()
        elif row.name == "model":
            self.app.switch_mode("models")
        elif row.key:
            self._change(row.key, row.value)

    @work(exclusive=True, group="change", exit_on_error=False)
    async def _change(self, key: Key, now: str) -> None:
        given = await self._asked(key, now)
        if given is not None:
            await self._write(key, parse_value(self._file, key, given))

    async def _asked(self, key: Key, now: str) -> str | None:
        if key.choices:
            choices = [*key.choices, *([_ANOTHER] if key.is_open else [])]
            given = await self.app.push_screen_wait(
                Choose(key.name, key.about, choices, now)
            )
            if given != _ANOTHER:
                return given
        return await self.app.push_screen_wait(
            Prompt(
                key.name,
                key.about,
                value=now.replace(",", "_"),
                check=lambda text: parse_value(self._file, key, text),
            )
        )

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_default(self) -> None:
        """Take the setting under the cursor back."""
        row = self.settings.chosen
        if row is None or not row.is_changed:
            return
        if row.name == "model":
            self.app.switch_mode("models")
        elif row.key:
            await self._write(row.key, None)

    async def _write(self, key: Key, value: Value | None) -> None:
        file = self._file
        try:
            await apart(lambda: write_setting(file, key.name, value))
        except PplxLocalError as error:
            self.app.tell(error)
            return
        await self._look()
        told = value_in_words(key.default if value is None else value)
        self.notify(f"{key.name} is {told} now.", markup=False)

    @work(exclusive=True, group="anew", exit_on_error=False)
    async def action_anew(self) -> None:
        """End our own daemon, and start another that reads all settings."""
        if not self.app.link.is_own:
            said = f"This daemon was started apart from here. To start it anew: {ANEW}"
            self.notify(said, markup=False, timeout=10)
            return
        self.app.workers.cancel_group(self.app, "status")  # nobody else starts one
        try:
            await apart(lambda: end_daemon(self.app.link.home))
            await self._look()
            self.notify("The daemon was started anew.", markup=False)
        except PplxLocalError as error:
            self.app.tell(error)
        finally:
            self.app.follow_status()

    # --- of the interface alone ---

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_theme(self) -> None:
        """Choose the colours, each shown at once."""
        await choose_theme(self.app)
        self._show()

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_forget(self) -> None:
        """Forget what was asked."""
        await forget_queries(self.app)
        self._show()

    def action_leave(self) -> None:
        """Go back to the search."""
        self.app.switch_mode("search")


def _name(row: SettingRow) -> str:
    return row.name
