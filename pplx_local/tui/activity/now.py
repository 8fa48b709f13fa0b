"""What the daemon does now, as a few lines with a bar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.fitting import at_home, bar, end_of
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import share_in_words, short_count, time_in_words
from pplx_local.wording.stages import amount, stage_in_words

if TYPE_CHECKING:
    from pplx_local.records import DaemonStatus, Progress, Status

_GAP = Content("   ")
_NARROWEST_BAR, _WIDEST_BAR = 10, 40


def now(status: Status, width: int) -> Content:
    """Say it, or why nothing is done though there would be something to do."""
    daemon = status.daemon
    if daemon is None:
        return plain("No daemon works on this home.", "$text-warning")
    return Content("\n").join(_lines(daemon, width))


def _lines(daemon: DaemonStatus, width: int) -> Iterator[Content]:
    if daemon.doing:
        yield _work(daemon, daemon.doing, width)
        yield _where(daemon.doing, width)
    elif daemon.waits:
        yield plain(f"waits: {daemon.waits}", "bold $text-warning")
    elif daemon.paused:
        yield plain("paused: changes wait; p goes on", "bold $text-warning")
    else:
        yield plain("nothing to do", "bold $text-success")
    if daemon.doing and daemon.paused:
        yield plain("paused after this", "$text-warning")
    if daemon.trouble:
        yield plain(f"trouble: {daemon.trouble}", "bold $text-error")


def _work(daemon: DaemonStatus, doing: Progress, width: int) -> Content:
    """Lay out `embedding  1.2M of 4.0M tokens  ━━━┄┄┄  50 %  9,800/s  5 min left`."""
    said = [plain(stage_in_words(doing), "bold $text-accent")]
    if much := amount(doing):
        said.append(plain(much))
    after = []
    if doing.total:
        after.append(plain(share_in_words(doing.done / doing.total), "bold"))
    if daemon.rate is not None:
        after.append(plain(f"{short_count(daemon.rate)}/s"))
    if daemon.seconds_left is not None:
        after.append(plain(f"{time_in_words(daemon.seconds_left)} left"))
    room = width - _GAP.join([*said, *after]).cell_length - 2 * len(_GAP)
    if doing.total and room >= _NARROWEST_BAR:
        said.append(bar(doing.done / doing.total, min(room, _WIDEST_BAR)))
    return _GAP.join([*said, *after])


def _where(doing: Progress, width: int) -> Content:
    if doing.message:
        return plain(doing.message, "$text-warning")
    path = at_home(doing.path) if doing.path else ""
    return plain(end_of(path, max(width, 2)), "$foreground-muted")
