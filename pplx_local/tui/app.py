"""The app: its screens, its keys, and what all screens share. It holds no logic."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen

from pplx_local.errors import PplxLocalError
from pplx_local.tui.easel import NOT_ASKED, Easel
from pplx_local.tui.first_frame import FirstFrame
from pplx_local.tui.link import Link
from pplx_local.tui.memory import Memory
from pplx_local.tui.mended import let_widgets_go
from pplx_local.tui.palette import Palette
from pplx_local.tui.search.screen import SearchScreen
from pplx_local.tui.terminal import Terminal
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.records import Status

_STATUS_S = 1.0
"""Between two looks at what the daemon does."""
_IDLE_S = 2.0
"""After the first frame somebody begins to type, and nothing should be in the way."""
_THEME = "textual-dark"


def _folders() -> Screen[Any]:
    from pplx_local.tui.folders import FoldersScreen

    return FoldersScreen()


def _welcome() -> Screen[Any]:
    from pplx_local.tui.welcome import WelcomeScreen

    return WelcomeScreen(is_first=True)


def _activity() -> Screen[Any]:
    from pplx_local.tui.activity import ActivityScreen

    return ActivityScreen()


def _models() -> Screen[Any]:
    from pplx_local.tui.models import ModelsScreen

    return ModelsScreen()


def _settings() -> Screen[Any]:
    from pplx_local.tui.settings import SettingsScreen

    return SettingsScreen()


class PplxLocal(App[None], inherit_bindings=False):
    """The terminal interface of one home."""

    TITLE = "pplx-local"
    COMMAND_PALETTE_BINDING = "ctrl+k"
    ENABLE_COMMAND_PALETTE = True
    DEFAULT_MODE = "search"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "folders": _folders,
        "activity": _activity,
        "models": _models,
        "settings": _settings,
    }
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  textual declares it
        (0, "-narrow"),
        (90, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012  the same
        (0, "-low"),
        (20, "-high"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", priority=True),
        Binding("f2", "switch_mode('search')", "Search", priority=True, show=False),
        Binding("f3", "switch_mode('folders')", "Folders", priority=True),
        Binding("f4", "switch_mode('activity')", "Activity", priority=True),
        Binding("f5", "switch_mode('models')", "Models", priority=True),
        Binding("f6", "switch_mode('settings')", "Settings", priority=True),
        Binding("ctrl+c", "quit", "Quit", priority=True, show=False),
        Binding("ctrl+z", "suspend_process", "Suspend", priority=True, show=False),
    ]

    status: reactive[Status | None] = reactive(None, repaint=False)
    """What the daemon said last; None before it has answered."""

    def __init__(
        self,
        home: Path,
        flags: Mapping[str, str | None] | None = None,
        easel: Easel | str = NOT_ASKED,
        first_frame: FirstFrame | None = None,
    ) -> None:
        """Prepare.

        Args:
            home: Whose index is searched.
            flags: For a daemon that has to be started, such as `{"--device": "cpu"}`.
            easel: What draws pages on the terminal, or why nothing does.
            first_frame: What is on the terminal already, if anything is.
        """
        super().__init__(Terminal)
        let_widgets_go()
        self.link = Link(home, flags)
        self.first_frame = first_frame or FirstFrame(Memory(home))
        self.is_drawn = threading.Event()
        """Whether the first frame of our own is there."""
        self.memory = self.first_frame.memory
        self.easel = easel
        self.theme = self._kept_theme()
        self._is_greeted = False

    def _kept_theme(self) -> str:
        kept = self.memory.theme
        return kept if kept in self.available_themes else _THEME

    def get_default_screen(self) -> Screen[Any]:
        """Begin with the search screen.

        A mode's screen would have all styles read twice before the first frame.
        """
        return SearchScreen()

    def on_mount(self) -> None:
        """Begin to follow the daemon, once the first frame is drawn."""
        self.add_mode("search", SearchScreen)  # to come back to
        self.app_resume_signal.subscribe(self, self._draw_anew)
        self.call_after_refresh(self._settle)

    def on_unmount(self) -> None:
        """Leave the daemon."""
        self.link.close()

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Lend the terminal; Textual's own does not take it back after an error."""
        failure = None
        with super().suspend():
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again below
                failure = error
        if failure:
            raise failure

    def _draw_anew(self, _: App[Any]) -> None:
        """Draw all of it: the terminal is empty after another program had it."""
        self.screen.refresh()

    def _settle(self) -> None:
        """Do what the first frame did not need."""
        self.is_drawn.set()
        self.search_screen.keep_first_frame(self.first_frame)
        if not gc.isenabled():  # the command line switched it off, to be quicker
            gc.enable()
            gc.freeze()
        self.follow_status()
        self.set_timer(_IDLE_S, self._load_screens)

    @work(thread=True)
    def _load_screens(self) -> None:
        """Load what other screens need, so that the first look at one is quick."""
        for name in ("folders", "activity", "models", "settings", "help"):
            import_module(f"pplx_local.tui.{name}")

    # --- the daemon ---

    @work(exclusive=True, group="status")
    async def follow_status(self) -> None:
        """Ask again and again what is indexed and what is being done."""
        while True:
            await self.look()
            await asyncio.sleep(_STATUS_S)

    async def look(self) -> None:
        """Ask once."""
        try:
            self.status = await self.link.ask("status", lambda daemon: daemon.status())
        except PplxLocalError as error:
            self.tell(error)

    def watch_status(self, status: Status | None) -> None:
        """Ask for folders, once, where none is registered."""
        if status and not self._is_greeted:
            self._is_greeted = True
            if not status.folders:
                self.push_screen(_welcome())

    def tell(self, error: Exception | str) -> None:
        """Show what went wrong on a line that a person can act on."""
        self.notify(visible(str(error)), severity="error", markup=False, timeout=10)

    @property
    def search_screen(self) -> SearchScreen:
        """The screen that the app begins with."""
        screen = self.get_screen_stack("search")[0]
        assert isinstance(screen, SearchScreen)
        return screen

    async def action_switch_mode(self, mode: str) -> None:
        """Go to another screen; what lies over this one, such as the palette, goes."""
        while isinstance(self.screen, ModalScreen):
            await self.screen.dismiss(None)
        await super().action_switch_mode(mode)

    def remark(self, text: str) -> None:
        """Say in passing that something was done."""
        self.notify(visible(text), markup=False, timeout=3)

    @property
    def failure(self) -> Exception | None:
        """A bug that ended the interface; None for none."""
        return self._exception

    def _fatal_error(self) -> None:
        """End without a traceback: who has called `run` tells of the bug."""
        self._close_messages_no_wait()

    def action_help(self) -> None:
        """Show help for the screen that is seen, or close it."""
        from pplx_local.tui.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss()
        else:
            self.push_screen(HelpScreen(self.screen))

    # --- the palette ---

    def action_command_palette(self) -> None:
        """Open the palette, unless it is open."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List every action that has a key, and some that have none."""
        for binding in screen.active_bindings.values():
            one = binding.binding
            if one.description and one.key != self.COMMAND_PALETTE_BINDING:
                run = _run(self, one.action, binding.node)
                yield SystemCommand(one.description, f"Key: {one.key}", run)


def _run(app: PplxLocal, action: str, node: Any) -> Callable[[], Any]:
    async def run() -> None:
        await app.run_action(action, node)

    return run
