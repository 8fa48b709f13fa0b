"""An open line to a daemon: calls out, replies in."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from pplx_local.daemon.place import Announcement
from pplx_local.daemon.wire import Request, Result, parse_reply, request_line
from pplx_local.errors import DaemonEnded

if TYPE_CHECKING:
    from pplx_local.records import Progress


class Line:
    """A connection, on which one call is made after another."""

    def __init__(self, connection: socket.socket, said: Announcement) -> None:
        """Take over a connection to the daemon that has announced itself so."""
        self.pid = said.pid
        """Of the daemon."""
        self._protocol = said.protocol
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._numbers = count(1)

    def close(self) -> None:
        """Leave; the daemon goes on."""
        self._stream.close()
        self._connection.close()

    def hang_up(self) -> None:
        """End a call that another thread waits for: it fails with `DaemonEnded`."""
        with suppress(OSError):  # of one that is closed already
            self._connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        """Nothing more is opened."""
        return self

    def __exit__(self, *error: object) -> None:
        """Leave."""
        self.close()

    def ask(self, call: str, **args: Any) -> Any:
        """Make a call, and give what it gives.

        Raises:
            PplxLocalError: What the call has raised; DaemonEnded where the daemon went
                away.
        """
        replies = self.replies(call, **args)
        while not isinstance(reply := next(replies), Result):
            pass
        return reply.value

    def replies(self, call: str, **args: Any) -> Iterator[Progress | Result]:
        """Make a call, and give its progress and, last, its result."""
        request = Request(next(self._numbers), call, args)
        try:
            with suppress(BrokenPipeError):  # why it hung up is there to read
                self._connection.sendall(request_line(request, self._protocol))
            while line := self._stream.readline():
                yield parse_reply(line, call)
        except TimeoutError:
            raise
        except OSError as error:
            raise DaemonEnded from error
        raise DaemonEnded
