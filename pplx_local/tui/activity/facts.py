"""What there is to know of the index and its daemon, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.fitting import bar
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import (
    age_in_words,
    share_in_words,
    size_in_words,
)
from pplx_local.wording.holding import (
    embedded_in_words,
    holdings_in_words,
    profile_in_words,
    sizes_in_words,
)
from pplx_local.wording.working import power_in_words, queue_in_words

if TYPE_CHECKING:
    from pplx_local.records import DaemonStatus, Status

_GAP = Content("   ")
_NAME = 8
_BAR = 12
_ROOMY = 90


def facts(status: Status, width: int, *, is_own: bool) -> Content:
    """Say them.

    Args:
        status: With the daemon's.
        width: Cells that there are; more are wrapped.
        is_own: Whether the daemon ends with the interface.
    """
    lines = [
        plain(f"{name:<{_NAME}}", "$foreground-muted") + said
        for name, said in _facts(status, width, is_own)
    ]
    return Content("\n").join(lines)


def _facts(status: Status, width: int, is_own: bool) -> Iterator[tuple[str, Content]]:
    yield "Queue", plain(queue_in_words(status.queue))
    yield "Holds", plain(holdings_in_words(status))
    yield "Model", plain(profile_in_words(status.profile))
    if status.change:
        to = profile_in_words(status.change.profile)
        yield "", plain(f"to become {to}; {embedded_in_words(status.change)}")
    yield "Covers", _coverage(status, width)
    for reason in dict.fromkeys(status.outdated.values()):
        yield "", plain(reason, "$text-warning")
    yield "Disk", plain(sizes_in_words(status))
    if status.daemon:
        yield "Memory", _vitals(status.daemon)
        yield "Daemon", _who(status.daemon, is_own)


def _coverage(status: Status, width: int) -> Content:
    return _GAP.join(
        _leg(leg, share, _BAR if width >= _ROOMY else 0)
        for leg, share in status.coverage.items()
    )


def _leg(leg: str, share: float, width: int) -> Content:
    said = plain(f" {share_in_words(share)}", "" if share == 1 else "$text-warning")
    drawn = Content(" ") + bar(share, width) if width else Content("")
    return plain(leg) + drawn + said


def _vitals(daemon: DaemonStatus) -> Content:
    known = daemon.memory_bytes
    said = "not told" if known is None else f"{size_in_words(known)} in use"
    if daemon.power is None:
        return plain(said)
    return (
        plain(said)
        + _GAP
        + plain("Power ", "$foreground-muted")
        + plain(power_in_words(daemon.power))
    )


def _who(daemon: DaemonStatus, is_own: bool) -> Content:
    age = age_in_words(daemon.started_ns).removesuffix(" ago")
    whose = "ends with this window" if is_own else "goes on without this window"
    return plain(f"process {daemon.pid}, version {daemon.version}, for {age}; {whose}")
