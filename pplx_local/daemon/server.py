"""The daemon's end of the socket: a thread for each connection."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pplx_local.daemon.connections import MOST_CONNECTIONS, Connections
from pplx_local.daemon.place import is_own
from pplx_local.daemon.replying import (
    as_request,
    error_line,
    number_of,
    parse_line,
    progress_line,
    read_line,
    result_line,
)
from pplx_local.daemon.wire import Request
from pplx_local.errors import DaemonError, PplxLocalError

_LAST_REPLIES_S = 2.0
"""What is left to calls that run when the server closes."""

Calls = Mapping[str, Callable[..., Any]]
OnBug = Callable[[Exception], None]


class Server:
    """Answers on a unix socket until it is closed.

    A call returns its result, or is a generator that returns it: of progress, or of None
    where it has none to tell. It is closed when its client goes away. Whoever starts the
    server holds the writer's lock: a socket that lies there was left behind.
    """

    def __init__(self, path: Path, calls: Calls, *, on_bug: OnBug) -> None:
        """Prepare.

        Args:
            path: Of the socket, in a folder that is ours alone.
            calls: By the names that `signatures` knows; run on the connection's thread.
            on_bug: Told of exceptions that a call should not have raised.
        """
        self._path, self._calls, self._on_bug = path, calls, on_bug
        self._listener: socket.socket | None = None
        self._inode: int | None = None
        """Of the socket's name, which somebody may remove or take."""
        self.connections = Connections()
        self._closing = False

    def start(self) -> None:
        """Listen; once more where the socket was removed.

        Raises:
            DaemonError: The socket cannot be made.
        """
        listener = socket.socket(socket.AF_UNIX)
        try:
            self._path.unlink(missing_ok=True)
            listener.bind(str(self._path))
            self._path.chmod(0o600)
            listener.listen(MOST_CONNECTIONS)
        except OSError as error:
            listener.close()
            raise DaemonError(
                f"Cannot listen at {self._path}: {error.strerror}."
            ) from error
        before, self._listener = self._listener, listener
        self._inode = _inode(self._path)
        if before:
            with suppress(OSError):
                before.shutdown(socket.SHUT_RDWR)  # wakes its thread, which closes it
        accept = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        accept.start()

    def is_there(self) -> bool:
        """Tell whether clients can find the socket."""
        return self._inode is not None and _inode(self._path) == self._inode

    def close(self) -> None:
        """Take no more calls, let those that run reply, and remove the socket."""
        self._closing = True
        if self.is_there():
            with suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
                knock.connect(str(self._path))  # closing alone would not end `accept`
            with suppress(OSError):
                self._path.unlink()
        self.connections.close(_LAST_REPLIES_S)

    # --- connections ---

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while not self._closing and listener is self._listener:
                try:
                    connection, _ = listener.accept()
                except OSError:  # no descriptor is free, or the client has left again
                    time.sleep(0.05)
                    continue
                self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        if self._closing or not is_own(connection):
            connection.close()
            return
        thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
        if not self.connections.admit(connection, thread):
            _turn_away(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            # OSError: the client has gone; its other requests are nobody's.
            with suppress(OSError), connection, connection.makefile("rb") as stream:
                while self._answer_next(stream, connection):
                    pass
        finally:
            self.connections.leave(connection)

    # --- requests ---

    def _answer_next(self, stream: BinaryIO, connection: socket.socket) -> bool:
        """Answer one request; False when there are no more."""
        number = None
        try:
            line = read_line(stream)
            if not line:
                return False
            message = parse_line(line)
            number = number_of(message)
            with self.connections.busy(connection):
                self._answer(as_request(message), connection)
        except PplxLocalError as error:
            connection.sendall(error_line(number, error))
        return True

    def _answer(self, request: Request, connection: socket.socket) -> None:
        try:
            reply = self._reply(request, connection)
        except (PplxLocalError, _ClientGone):
            raise
        except Exception as error:
            self._on_bug(error)
            # Its text might hold words of a document.
            raise DaemonError(
                f"The daemon met a bug ({type(error).__name__}) and goes on; what is "
                "needed to mend it is in its log."
            ) from error
        connection.sendall(reply)

    def _reply(self, request: Request, connection: socket.socket) -> bytes:
        """Run a call, and give the last line of its answer."""
        call = self._calls.get(request.call)
        if call is None:
            raise DaemonError(f"This daemon does not know how to {request.call}.")
        result = call(**request.args)
        if isinstance(result, Generator):
            result = _follow(result, request, connection)
        return result_line(request.number, result)


class _ClientGone(OSError):
    """Nobody reads any more; apart from errors of the system that a call may raise."""


def _follow(
    steps: Generator[Any, None, Any], request: Request, connection: socket.socket
) -> Any:
    """Send progress until the call returns its result."""
    with closing(steps):
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                return end.value
            try:
                if progress is not None:
                    connection.sendall(progress_line(request.number, progress))
                elif _has_hung_up(connection):
                    raise ConnectionResetError
            except OSError as error:
                raise _ClientGone from error


def _has_hung_up(connection: socket.socket) -> bool:
    """Tell whether a client is gone: one that only says no more still waits."""
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


def _inode(path: Path) -> int | None:
    try:
        return path.lstat().st_ino
    except OSError:
        return None


def _turn_away(connection: socket.socket) -> None:
    many = DaemonError(
        f"{MOST_CONNECTIONS} programs are asking the daemon already. Try again later."
    )
    with suppress(OSError), connection:
        connection.sendall(error_line(None, many))
