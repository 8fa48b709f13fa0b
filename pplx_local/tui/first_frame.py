"""The first frame of the last time, shown while the interface loads.

Loading takes half a second, and a person begins to type at once. An empty search screen
looks the same each time, so that the one that was drawn last is put on the terminal
first; what is typed waits there until the real one takes over.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from pplx_local import __version__
from pplx_local.tui.memory import Memory, read_kept, write_kept

ENTER_SCREEN, _LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"

_FILE = "first-frame.json"
_MOST_FRAMES = 8
"""Of so many sizes and themes the frame is kept."""
_COLOURS = ("TERM", "COLORTERM", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM")


class FirstFrame:
    """Shows the frame on entering; on leaving the terminal is as it was.

    A terminal or a file that cannot be used is done without.
    """

    def __init__(self, memory: Memory) -> None:
        """Read what was kept; nothing is shown yet."""
        self.memory = memory
        """What else is kept: a frame hangs on some of it."""
        self._path = memory.home / _FILE
        self._frames = read_kept(self._path)
        self._key = _key(memory, shutil.get_terminal_size())
        self._suspend: Any = None
        self.before: list[Any] = []
        """The terminal's own settings, where something was shown."""
        self.is_alone = False
        """Whether nothing else has taken the screen over."""

    @property
    def frame(self) -> str:
        """What is shown, as it is written to the terminal; empty for nothing."""
        kept = self._frames.get(self._key)
        return kept if isinstance(kept, str) else ""

    def __enter__(self) -> Self:
        if self.frame:
            try:
                self._show()
            except (OSError, ValueError, termios.error):
                self._hide()
            except BaseException:  # who has called it off sees the terminal again
                self._hide()
                raise
        return self

    def _show(self) -> None:
        self.before = termios.tcgetattr(sys.stdin)
        self._suspend = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self.is_alone = True
        termios.tcsetattr(sys.stdin, termios.TCSANOW, _quiet(self.before))
        _write(ENTER_SCREEN + _HIDE_CURSOR + self.frame)

    def __exit__(self, *error: object) -> None:
        self._hide()

    def _hide(self) -> None:
        if not self.is_alone:  # nothing is shown, or what has taken over has tidied up
            return
        _write(_LEAVE_SCREEN + _SHOW_CURSOR)
        signal.signal(signal.SIGTSTP, self._suspend)
        with suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self.before)

    def keep(self, lines: Sequence[str], size: tuple[int, int]) -> None:
        """Keep a frame for the next time.

        Args:
            lines: From the top, as they are written to the terminal.
            size: Columns and rows that it was drawn for: they may have become others
                while the interface was loading.
        """
        frame = "".join(
            f"\x1b[{number};1H{line}" for number, line in enumerate(lines, 1)
        )
        key = _key(self.memory, size)
        if self._frames.get(key) != frame:
            others = [one for one in self._frames.items() if one[0] != key]
            self._frames = dict([*others, (key, frame)][-_MOST_FRAMES:])
            write_kept(self._path, self._frames)


def _key(memory: Memory, size: tuple[int, int]) -> str:
    """Say what a frame hangs on."""
    layout = memory.theme, memory.mode, memory.has_preview
    colours = [os.environ.get(name) for name in _COLOURS]
    return json.dumps([__version__, *size, *layout, *colours])


def _quiet(attributes: Sequence[Any]) -> list[Any]:
    """Have keys neither shown nor held until a line is whole; ctrl-c still ends it all."""
    changed = list(attributes)
    changed[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    changed[tty.IFLAG] &= ~(
        termios.IXON | termios.ICRNL | termios.INLCR | termios.IGNCR
    )
    return changed


def _write(text: str) -> None:
    """Write to where Textual writes."""
    if (terminal := sys.__stderr__) is not None:
        with suppress(OSError):
            terminal.write(text)
            terminal.flush()
