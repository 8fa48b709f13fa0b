"""Where the daemon of a home listens, and how that is found.

The socket lies in a runtime folder, under a short name: systems take no more than about
100 bytes for one, and homes have longer paths. What is in the home tells where, so that
a cron job or a login by ssh, with another runtime folder or none, finds it too.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pplx_local import __version__
from pplx_local.errors import DaemonError

PROTOCOL = 1
"""Version of what is spoken over the socket."""

_FILE = "daemon.json"
_LONGEST_PATH_BYTES = 100
_OTHERS = 0o077
_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES = 0, 1, 76
"""Of macOS; Python has no names for them."""


class Announcement(NamedTuple):
    """What a daemon says of itself in the home that it serves."""

    pid: int
    socket: str
    version: str
    """Of the program."""
    protocol: int


def socket_path(home: Path) -> Path:
    """Say where the daemon of a home listens; makes the folder for it.

    Raises:
        DaemonError: The folder cannot be made, is not ours alone, or has too long a
            name.
    """
    from hashlib import blake2b  # clients need it not, and start sooner

    folder = _runtime_folder()
    name = blake2b(os.fsencode(home.resolve()), digest_size=8).hexdigest()
    path = folder / f"{name}.sock"
    if len(os.fsencode(path)) > _LONGEST_PATH_BYTES:
        raise DaemonError(
            f"{path} is too long a name for a socket. Set XDG_RUNTIME_DIR to a folder "
            "of your own with a shorter name."
        )
    return path


def _runtime_folder() -> Path:
    """Make the folder, or check the one that is there: /tmp is everybody's."""
    import tempfile  # clients need it not, and start sooner

    chosen = os.environ.get("XDG_RUNTIME_DIR")
    shared = Path(tempfile.gettempdir(), f"pplx-local-{os.getuid()}")
    folder = Path(chosen, "pplx-local") if chosen else shared
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise DaemonError(
            f"Cannot make {folder}, where the daemon would listen: {error.strerror}. "
            "Set XDG_RUNTIME_DIR to a folder of your own."
        ) from error
    if why := _why_not(found):
        raise DaemonError(
            f"{folder} {why}, so that the daemon would not be yours alone. Remove it, "
            "or set XDG_RUNTIME_DIR to a folder of your own."
        )
    return folder


def _why_not(found: os.stat_result) -> str | None:
    if not stat.S_ISDIR(found.st_mode):
        return "is no folder but a link or a file"
    if found.st_uid != os.getuid():
        return "belongs to somebody else"
    return "is open to others" if found.st_mode & _OTHERS else None


def announce(home: Path, listening: Path) -> Announcement:
    """Say in the home that this process is its daemon, and where it listens.

    Raises:
        DaemonError: It cannot be written.
    """
    said = Announcement(os.getpid(), str(listening), __version__, PROTOCOL)
    path = home / _FILE
    temporary = path.with_suffix(".new")
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()  # of a daemon that was killed here
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(temporary, flags, 0o600), "w") as file:
            json.dump(said._asdict(), file)
        temporary.replace(path)
    except OSError as error:
        why = error.strerror
        raise DaemonError(f"Cannot write {path}: {why}. Is the disk full?") from error
    return said


def announced(home: Path) -> Announcement | None:
    """Read what a daemon has said, which may have ended since; None where none did."""
    try:
        said = Announcement(**json.loads((home / _FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    kinds = zip(said, (int, str, str, int), strict=True)
    return said if all(type(value) is kind for value, kind in kinds) else None


def withdraw(home: Path) -> None:
    """Take back what was announced."""
    with suppress(OSError):
        (home / _FILE).unlink()


def is_own(connection: socket.socket) -> bool:
    """Tell whether the process on the other end belongs to the same person."""
    try:
        return _peer_uid(connection) == os.getuid()
    except OSError:  # it has gone
        return False


def _peer_uid(connection: socket.socket) -> int:
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int(struct.unpack("3i", credentials)[1])
    record = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
    return int(struct.unpack_from("2I", record)[1])
