"""What happened to a file, and a file that could not be read, as rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.fitting import at_home, both_ends, path_content
from pplx_local.tui.paint import plain
from pplx_local.tui.states import fate_sign, state_sign

if TYPE_CHECKING:
    from pplx_local.records import FileEvent, FileRecord

FAILURE_HEIGHT = 2
_ROOMY = 40


def failure_lines(file: FileRecord, width: int) -> list[Content]:
    """Lay out the path, and below it why."""
    head = state_sign(file.state) + " "
    path = head + path_content(at_home(file.path), width - 2)
    return [path, plain(f"  {file.reason or ''}", "italic $foreground-muted")]


def event_line(event: FileEvent, width: int) -> list[Content]:
    """Lay out when, what became of which file, and how long it took."""
    clock = time.strftime("%H:%M:%S ", time.localtime(event.at_ns / 1e9))
    head = plain(clock if width >= _ROOMY else "", "$foreground-muted")
    head += fate_sign(event.fate) + " "
    right = plain(_took(event.took_ms), "$foreground-muted")
    room = width - head.cell_length - right.cell_length - 1
    line = head + path_content(at_home(event.path), room)
    if event.reason:
        line += plain(f"  {event.reason}", "italic $foreground-muted")
    return [both_ends(line, right, width)]


def _took(ms: float | None) -> str:
    if ms is None:
        return ""
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms"
