"""The terminal, from the first frame of the last time to the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

from pplx_local.tui.first_frame import ENTER_SCREEN

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal

_POLL_S = 0.05


class Terminal(LinuxDriver):
    """Goes on with what is shown already, and loses no key that was pressed meanwhile."""

    _app: PplxLocal

    def start_application_mode(self) -> None:
        """Start, and remember the terminal as it was before it was made quiet."""
        first = self._app.first_frame
        is_quiet = first.is_alone
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if is_quiet:
            self.attrs_before = first.before

    def write(self, data: str) -> None:
        """Write; the screen, which would be cleared, is entered no second time."""
        first = self._app.first_frame
        if first.is_alone and data == ENTER_SCREEN:
            first.is_alone = False
            return
        super().write(data)

    def run_input_thread(self) -> None:
        """Read keys, from when there is somebody to take them: the box has the focus."""
        while not self._app.is_drawn.wait(_POLL_S):
            if self.exit_event.is_set():
                return
        super().run_input_thread()
