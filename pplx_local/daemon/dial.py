"""The way to a daemon's socket, where it is there, answers in time and is ours."""

from __future__ import annotations

import socket

from pplx_local.daemon.place import Announcement, is_own
from pplx_local.errors import DaemonError

_HELLO_TIMEOUT_S = 5.0


def dial(said: Announcement) -> socket.socket | None:
    """Connect; None where nobody listens any more.

    Raises:
        DaemonError: It does not answer, or is not ours.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_HELLO_TIMEOUT_S)
    try:
        connection.connect(said.socket)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except (TimeoutError, BlockingIOError) as error:
        connection.close()
        raise silent(said) from error
    except OSError as error:
        connection.close()
        why = error.strerror
        raise DaemonError(
            f"Cannot reach the daemon at {said.socket}: {why}."
        ) from error
    if not is_own(connection):
        connection.close()
        raise DaemonError(
            f"What listens at {said.socket} belongs to somebody else, and is not asked. "
            "Start your own: pplx-local daemon start"
        )
    return connection


def silent(said: Announcement) -> DaemonError:
    """Say of a daemon that it does not answer."""
    return DaemonError(
        f"The daemon (process {said.pid}) has not answered for "
        f"{_HELLO_TIMEOUT_S:.0f} seconds. Try again, or end it: kill {said.pid}"
    )
