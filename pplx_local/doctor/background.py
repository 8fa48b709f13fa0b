"""The background indexer: whether it runs, what it may watch, and where things lie."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from pplx_local import __version__
from pplx_local.config import Settings
from pplx_local.daemon.claim import claimed_by
from pplx_local.daemon.client import connect
from pplx_local.daemon.log import log_file
from pplx_local.daemon.wire import ANEW
from pplx_local.doctor.check import Check, guarded
from pplx_local.errors import PplxLocalError
from pplx_local.index.paths import absolute, followed
from pplx_local.records import DaemonStatus, FolderStatus, Status
from pplx_local.store import Store
from pplx_local.watch import file_system_of

_PROC = Path("/proc")
_SETTING = "fs.inotify.max_user_watches"
_MANY = 0.8
"""Of the watches that there are."""
_PLENTY = 524_288


def background(settings: Settings) -> Iterator[Check]:
    """Look at the daemon of a home, the kernel's limits, and the file systems."""
    yield place_of_home(settings.home)
    daemon, status = _daemon(settings.home)
    yield daemon
    if sys.platform == "linux":
        yield watches(status.daemon.pid if status and status.daemon else None)
    if status:
        yield from map(_watched, status.folders)
    else:
        yield from guarded("folder", partial(_unwatched, settings))


def place_of_home(home: Path) -> Check:
    """Tell what the home lies on: on a network SQLite cannot keep it whole."""
    kind, is_remote = file_system_of(followed(absolute(home)))
    if not is_remote:
        return Check("file system", "ok", f"{home} lies on {kind}, of this computer")
    remedy = "Choose a local place: --home DIR before the command, or PPLX_LOCAL_HOME"
    detail = f"{home} lies on a network ({kind}), where nothing can be indexed"
    return Check("file system", "fail", detail, remedy)


# --- the daemon --------------------------------------------------------------


def _daemon(home: Path) -> tuple[Check, Status | None]:
    """Ask the daemon how it is; None where there is no answer."""
    try:
        daemon = connect(home)
        if daemon is None:
            return _no_daemon(home), None
        with daemon:
            start = time.perf_counter()
            status = daemon.status()
            ms = (time.perf_counter() - start) * 1000
    except PplxLocalError as error:
        return Check("daemon", "fail", str(error)), None
    assert status.daemon, "it is the one that answered"
    return _how_it_is(status.daemon, ms), status


def _no_daemon(home: Path) -> Check:
    if pid := claimed_by(home):
        detail = f"process {pid} runs, but does not answer yet"
        return Check("daemon", "warn", detail, f"Its log says why: {log_file(home)}")
    detail = "none runs: changed files wait for `update`, and searches load the model"
    return Check("daemon", "warn", detail, "To start it: pplx-local daemon start")


def _how_it_is(daemon: DaemonStatus, ms: float) -> Check:
    who = f"process {daemon.pid}, version {daemon.version}, answers in {ms:.0f} ms"
    if daemon.version != __version__:
        detail = f"{who}; this is {__version__}"
        return Check("daemon", "warn", detail, f"Start it anew: {ANEW}")
    if daemon.trouble:
        remedy = "It tries again by itself; see: pplx-local daemon status"
        return Check("daemon", "warn", f"{who}; trouble: {daemon.trouble}", remedy)
    if daemon.waits:
        return Check("daemon", "ok", f"{who}; waits: {daemon.waits}")
    return Check("daemon", "ok", who)


# --- what it watches ---------------------------------------------------------


def watches(pid: int | None, proc: Path = _PROC) -> Check:
    """Count the watches that the kernel allows, and those that a daemon holds.

    Args:
        pid: Of the daemon; None where none runs.
        proc: Where Linux tells of itself.
    """
    path = proc / "sys" / _SETTING.replace(".", "/")
    try:
        allowed = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        remedy = "Folders are looked through now and then instead."
        return Check("watches", "warn", "this kernel has no inotify", remedy)
    detail = f"{allowed:,} folders may be watched at once by all programs of yours"
    held = 0 if pid is None else _held(proc / str(pid) / "fdinfo")
    if held:
        detail += f", {held:,} are by the daemon"
    if held < _MANY * allowed:
        return Check("watches", "ok", detail)
    remedy = f"To allow more: sudo sysctl {_SETTING}={max(_PLENTY, 2 * allowed)}"
    return Check("watches", "warn", detail, remedy)


def _held(descriptors: Path) -> int:
    """Count a process's watches; 0 where the system does not tell."""
    n_watches = 0
    with suppress(OSError):  # it may just have ended
        for entry in descriptors.iterdir():
            with suppress(OSError):
                n_watches += entry.read_bytes().count(b"inotify wd:")
    return n_watches


def _watched(folder: FolderStatus) -> Check:
    where = _where(folder.path)
    if not folder.reachable:
        remedy = (
            "Nothing of it is forgotten; bring the volume back, or: pplx-local remove"
        )
        return Check("folder", "warn", f"{where}: away now", remedy)
    if folder.watching and folder.watching.how == "polling":
        return Check("folder", "warn", f"{where}: {folder.watching.reason}")
    return Check("folder", "ok", f"{where}: watched")


def _unwatched(settings: Settings) -> Iterator[Check]:
    """Look at folders that no daemon watches: how one would notice their changes."""
    if not settings.database.exists():
        return
    with Store.open(settings.database, readonly=True) as store:
        folders = store.folders()
    for folder in folders:
        where = _where(folder.path)
        if file_system_of(folder.path).is_remote:
            why = "what others change there makes no event"
            detail = f"{where}: looked through now and then, for {why}"
            yield Check("folder", "warn", detail)
        else:
            yield Check("folder", "ok", f"{where}: can be watched")


def _where(path: bytes) -> str:
    return f"{os.fsdecode(path)}, on {file_system_of(path).kind}"
