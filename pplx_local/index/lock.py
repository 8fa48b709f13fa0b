"""One writer for each home."""

from __future__ import annotations

import os
from pathlib import Path

import filelock

from pplx_local.config import Settings
from pplx_local.errors import StoreBusy, StoreError
from pplx_local.index.paths import absolute, followed
from pplx_local.watch import file_system_of


def take_lock(settings: Settings) -> filelock.FileLock:
    """Become the writer, or say who is.

    The system gives the lock back when its process ends, however it ends.

    Raises:
        StoreBusy: Another process is the writer.
        StoreError: The home folder cannot be made or written to, or lies where SQLite
            cannot work.
    """
    _refuse_network(settings.home)
    holder = settings.lock.with_suffix(".pid")
    lock = filelock.FileLock(settings.lock, timeout=0, mode=0o600)
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
        holder.write_text(str(os.getpid()))
    except filelock.Timeout as error:
        who = f" (process {holder.read_text()})" if holder.exists() else ""
        raise StoreBusy(
            f"Another pplx-local{who} is writing to {settings.home}. "
            "Wait until it is done, or stop it."
        ) from error
    except OSError as error:
        raise StoreError(
            f"Cannot write to {settings.home}: {error.strerror}. Choose another place "
            "with --home DIR or PPLX_LOCAL_HOME."
        ) from error
    return lock


def _refuse_network(home: Path) -> None:
    """Refuse what has no shared memory: two computers would write at once."""
    file_system = file_system_of(followed(absolute(home)))
    if file_system.is_remote:
        raise StoreError(
            f"The home {home} lies on a network file system ({file_system.kind}), where "
            "SQLite cannot keep the index safe. Choose a local place with --home DIR."
        )
