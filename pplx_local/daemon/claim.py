"""One daemon for each home, also while it waits to be the writer and cannot answer."""

from __future__ import annotations

import os
from pathlib import Path

import filelock

from pplx_local.errors import DaemonError

_LOCK = "daemon.lock"
_HOLDER = "daemon.pid"
_LOOKING_S = 1.0
"""How long a daemon that starts lets others look whether there is one."""


def claim(home: Path) -> filelock.FileLock | None:
    """Become the daemon of a home; None where another one is.

    The system gives the lock back when the process ends, however it ends.

    Raises:
        DaemonError: The home cannot be written to.
    """
    lock = _lock(home, _LOOKING_S)
    try:
        lock.acquire()
        (home / _HOLDER).write_text(str(os.getpid()))
    except filelock.Timeout:
        return None
    except OSError as error:
        lock.release()
        raise DaemonError(
            f"Cannot write to {home}: {error.strerror}. Choose another place with "
            "--home DIR or PPLX_LOCAL_HOME."
        ) from error
    return lock


def claimed_by(home: Path) -> int | None:
    """Tell which process is the daemon of a home, be it reachable or not."""
    if not (home / _LOCK).exists():
        return None
    try:
        with _lock(home, timeout_s=0):
            return None
    except filelock.Timeout:
        return _holder(home)
    except OSError:  # nobody can write there, so nobody does
        return None


def _lock(home: Path, timeout_s: float) -> filelock.FileLock:
    return filelock.FileLock(home / _LOCK, timeout=timeout_s, mode=0o600)


def _holder(home: Path) -> int | None:
    try:
        return int((home / _HOLDER).read_text())
    except (OSError, ValueError):  # it has just become it
        return None
