"""Who is connected to the daemon: so many at a time, and the idle make room."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MOST_CONNECTIONS = 32

_SEND_TIMEOUT_S = 30
"""A client that takes nothing for so long is as good as gone."""
_MAKES_ROOM_AFTER_S = 180.0
"""A client that asks nothing for so long, where another one wants its place."""


class Connections:
    """Those that are open, each with the thread that serves it. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._idle_since: dict[socket.socket, float] = {}
        """Of those that ask nothing at the moment."""

    def __len__(self) -> int:
        """Count them."""
        return len(self._open)

    def admit(self, connection: socket.socket, thread: threading.Thread) -> bool:
        """Start to serve one; False where there is no room and nobody makes any."""
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_TIMEOUT_S, 0)
        )
        with self._lock:
            if len(self._open) >= MOST_CONNECTIONS and not self._make_room():
                return False
            self._open[connection] = thread
            self._idle_since[connection] = time.monotonic()
            thread.start()
        return True

    def _make_room(self) -> bool:
        """Hang up on the one that has been idle longest. Called with the lock."""
        longest = min(self._idle_since, key=self._idle_since.__getitem__, default=None)
        oldest = time.monotonic() - _MAKES_ROOM_AFTER_S
        if longest is None or self._idle_since[longest] > oldest:
            return False
        self._forget(longest)
        _shut(longest, socket.SHUT_RDWR)  # its thread finds nothing more to read
        return True

    @contextmanager
    def busy(self, connection: socket.socket) -> Iterator[None]:
        """Keep one while it is being answered."""
        with self._lock:
            self._idle_since.pop(connection, None)
        try:
            yield
        finally:
            with self._lock:
                if connection in self._open:
                    self._idle_since[connection] = time.monotonic()

    def leave(self, connection: socket.socket) -> None:
        """Forget one that has ended."""
        with self._lock:
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        self._open.pop(connection, None)
        self._idle_since.pop(connection, None)

    def close(self, patience_s: float) -> None:
        """Read no more requests, and let those that are being answered finish."""
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            _shut(connection, socket.SHUT_RD)
        deadline = time.monotonic() + patience_s
        for thread in still_open.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        for connection in still_open:
            _shut(connection, socket.SHUT_RDWR)


def _shut(connection: socket.socket, how: int) -> None:
    with suppress(OSError):
        connection.shutdown(how)
