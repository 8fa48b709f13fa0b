"""Messages to the encoder's child and back: pickled, with large arrays beside them.

A search hands over megabytes of token vectors. Written as they lie they are on the
other side in half of the time that it takes to copy them into a pickle first.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

_LARGE_BYTES = 1 << 16
_SOCKET_BYTES = 1 << 22
_COUNT_BYTES = 4


class Message(NamedTuple):
    """What is sent; arrays of it must not change before it has been."""

    head: bytes
    """How many arrays follow, and the pickle without them."""
    arrays: Sequence[memoryview]


def connect(socket_: socket.socket) -> Connection:
    """Make a connection of a socket that takes much at a time, where the system allows."""
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        with suppress(OSError):
            socket_.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BYTES)
    return Connection(socket_.detach())


def pack(content: object) -> Message:
    """Make a message of anything that can be pickled."""
    arrays: list[memoryview] = []

    def keep_in(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _LARGE_BYTES:
            return True
        arrays.append(raw)
        return False

    body = pickle.dumps(content, protocol=5, buffer_callback=keep_in)
    return Message(len(arrays).to_bytes(_COUNT_BYTES, "big") + body, arrays)


def send(connection: Connection, message: Message) -> None:
    """Write a message.

    Raises:
        OSError: The other side is gone.
    """
    connection.send_bytes(message.head)
    for array in message.arrays:
        connection.send_bytes(array)


def receive(connection: Connection) -> Any:
    """Read what a message was made of; its large arrays cannot be written to.

    Raises:
        EOFError: The other side is gone.
        OSError: It went in the midst of a message.
    """
    head = memoryview(connection.recv_bytes())
    n_arrays = int.from_bytes(head[:_COUNT_BYTES], "big")
    arrays = [connection.recv_bytes() for _ in range(n_arrays)]
    return pickle.loads(head[_COUNT_BYTES:], buffers=arrays)
