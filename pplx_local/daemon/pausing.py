"""Whether indexing in the background is paused: a file in the home, so that it lasts."""

from __future__ import annotations

from pathlib import Path

from pplx_local.errors import DaemonError

_FILE = "paused"


def is_paused(home: Path) -> bool:
    """Tell whether the daemon of a home should leave changes for later."""
    return (home / _FILE).exists()


def set_paused(home: Path, on: bool) -> None:
    """Pause, or go on; a daemon that runs has to be told besides.

    Raises:
        DaemonError: The home cannot be written to.
    """
    path = home / _FILE
    try:
        if on:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror
        raise DaemonError(f"Cannot pause or resume in {home}: {why}.") from error
