"""Being found: what shows others the daemon of a home, put back where it was lost.

A logout empties the runtime folder, and what cleans /tmp takes what looks old: a daemon
that nobody can reach would keep everybody else from writing.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from logging import Logger
from pathlib import Path

from pplx_local.daemon.place import announce, announced, socket_path, withdraw
from pplx_local.daemon.server import Server
from pplx_local.errors import DaemonError

_CHECK_EVERY_S = 5.0
_YOUNG_S = 60.0
"""A socket that was made just now has a daemon that is about to listen."""
_KNOCK_S = 1.0


class Presence:
    """The socket of a daemon, and what its home says of it."""

    def __init__(self, home: Path, server: Server, log: Logger) -> None:
        """Listen, and say so in the home.

        Raises:
            DaemonError: There is no safe place to listen, or the home is read-only.
        """
        self._home, self._server, self._log = home, server, log
        self._identity = _identity(home)
        server.start()
        self._said = announce(home, socket_path(home))
        _remove_abandoned(socket_path(home))
        self._check_at = 0.0
        self._is_lost = False

    def check(self) -> None:
        """Put back what was lost; cheap, and may be called at any time.

        Raises:
            DaemonError: The home itself has gone: there is nothing left to serve.
        """
        if time.monotonic() < self._check_at:
            return
        self._check_at = time.monotonic() + _CHECK_EVERY_S
        if _identity(self._home) != self._identity:
            raise DaemonError(
                f"The home {self._home} was moved or deleted while its daemon ran. "
                "Where it is now, start it again: pplx-local daemon start"
            )
        try:
            self._put_back()
            self._is_lost = False
        except DaemonError as error:
            if not self._is_lost:
                self._log.error("%s", error)
            self._is_lost = True

    def _put_back(self) -> None:
        if not self._server.is_there():
            socket_path(self._home)  # makes the folder, or says what is wrong with it
            self._server.start()
            self._log.warning("the socket was gone, and is there again")
        if announced(self._home) != self._said:
            announce(self._home, Path(self._said.socket))

    def end(self) -> None:
        """Be announced no more."""
        if announced(self._home) == self._said:
            withdraw(self._home)


def _remove_abandoned(own: Path) -> None:
    """Remove the sockets that daemons of other homes have left, killed or crashed."""
    for path in own.parent.glob("*.sock"):
        if path != own and _is_abandoned(path):
            with suppress(OSError):
                path.unlink()


def _is_abandoned(path: Path) -> bool:
    try:
        if time.time() - path.lstat().st_mtime < _YOUNG_S:
            return False
        with socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(_KNOCK_S)
            knock.connect(str(path))
    except ConnectionRefusedError:
        return True
    except OSError:  # it has gone, is no socket, or somebody is too busy to answer
        return False
    return False


def _identity(home: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(home)  # noqa: PTH116  a home may be a link
    except OSError:
        return None
    return found.st_dev, found.st_ino
