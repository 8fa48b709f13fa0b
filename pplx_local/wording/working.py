"""What the daemon is doing, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pplx_local.wording.amounts import (
    age_in_words,
    count,
    line_of,
    short_count,
    size_in_words,
    time_in_words,
)
from pplx_local.wording.stages import amount, stage_in_words
from pplx_local.wording.visible import visible, visible_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pplx_local.records import (
        Conditions,
        DaemonStatus,
        FolderStatus,
        QueueStatus,
        Status,
        Watching,
    )

NO_DAEMON = "No daemon runs; to start it: pplx-local daemon start"


WITH_WINDOW = "ends with the window that started it"


def own_settings(pid: int) -> str:
    """Say that a daemon does not run as the command line wants it to."""
    return (
        f"The daemon (process {pid}) is the one that writes, and has its own settings. "
        "Leave --backend and --device away, or stop it first: pplx-local daemon stop"
    )


def daemon_lines(daemon: DaemonStatus) -> Iterator[str]:
    """Say who it is, what it does or why it does nothing, and what went wrong."""
    age = age_in_words(daemon.started_ns).removesuffix(" ago")
    who = f"process {daemon.pid}, version {visible(daemon.version)}, for {age}"
    yield line_of("Daemon", who)
    if daemon.with_parent:
        yield line_of("", WITH_WINDOW)
    yield line_of("", doing_in_words(daemon))
    if daemon.paused and not daemon.waits:  # which says it too
        yield line_of("", "paused; to go on: pplx-local resume")
    if daemon.trouble:
        yield line_of("", f"trouble: {visible(daemon.trouble)}")
    if daemon.memory_bytes is not None:
        yield line_of("Memory", f"{size_in_words(daemon.memory_bytes)} in use by it")
    if daemon.power:
        yield line_of("Power", power_in_words(daemon.power))


def power_in_words(power: Conditions) -> str:
    """Say what the computer lives on, and what else counts for indexing."""
    said = ["battery" if power.on_battery else "mains"]
    if power.percent is not None:
        said.append(f"charged to {power.percent:.0f} %")
    if power.low_power:
        said.append("saving power")
    if power.hot:
        said.append("slowed down by heat")
    return ", ".join(said)


def doing_in_words(daemon: DaemonStatus) -> str:
    """Say `embedding 1.2M of 4.0M tokens, 9,800/s, 3 min left`, or why it waits."""
    if daemon.doing is None:
        return f"waits: {visible(daemon.waits)}" if daemon.waits else "nothing to do"
    said = [f"{stage_in_words(daemon.doing)} {amount(daemon.doing)}".rstrip()]
    if daemon.rate is not None:
        said.append(f"{short_count(daemon.rate)}/s")
    if daemon.seconds_left is not None:
        said.append(f"{time_in_words(daemon.seconds_left)} left")
    return ", ".join(said)


def queue_line(queue: QueueStatus) -> str:
    """Say how many files wait."""
    return line_of("Queue", queue_in_words(queue))


def queue_in_words(queue: QueueStatus) -> str:
    """Say `12 files to read, 3 of them for another try, 30 files to read anew`."""
    again = f", {queue.retrying:,} of them for another try" if queue.retrying else ""
    said = []
    if n_others := queue.waiting - queue.stale:
        said.append(f"{count(n_others, 'file')} to read{again}")
    if queue.stale:
        said.append(f"{count(queue.stale, 'file')} to read anew")
    return ", ".join(said) or "empty"


def fresh_line(status: Status) -> str:
    """Say as of when what was found is all that there was."""
    moment_ns = status.fresh_as_of_ns
    if moment_ns is None:
        return line_of("Fresh", "not yet: not all folders were looked through")
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment_ns / 1e9))
    return line_of("Fresh", f"as of {clock}, {age_in_words(moment_ns)}")


def watching_in_words(watching: Watching | None) -> str:
    """Say how changes of a folder are noticed, to follow a comma; empty for not."""
    if watching is None:
        return ""
    how = "watched" if watching.how == "events" else "looked at now and then"
    return f", {how}" + (f": {visible(watching.reason)}" if watching.reason else "")


def watched_lines(status: Status) -> Iterator[str]:
    """Say it of all folders."""
    for folder in status.folders:
        yield line_of("Folder", _watched(folder))


def _watched(folder: FolderStatus) -> str:
    how = watching_in_words(folder.watching) or ", not watched"
    away = "" if folder.reachable else ", away now"
    return f"{visible_path(folder.path)}{away}{how}"
