"""How files reach the child: open, so that it need not be able to open any."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import NamedTuple

_NUMBER_BYTES = 4


class Sent(NamedTuple):
    """A file that was sent."""

    name: bytes
    descriptor: int
    page: int
    """Whose picture is wanted, from 1; 0 for the text."""


def send_file(
    channel: socket.socket, name: bytes, descriptor: int, page: int = 0
) -> None:
    """Send an open file; the sender keeps its own descriptor."""
    numbers = [number.to_bytes(_NUMBER_BYTES) for number in (len(name), page)]
    socket.send_fds(channel, numbers, [descriptor])
    channel.sendall(name)


def received_files(channel: socket.socket) -> Iterator[Sent]:
    """Take files until the channel is closed."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(channel, _NUMBER_BYTES, 1)
        if not header:
            return
        (descriptor,) = descriptors
        page = int.from_bytes(_bytes(channel, _NUMBER_BYTES))
        yield Sent(_bytes(channel, int.from_bytes(header)), descriptor, page)


def _bytes(channel: socket.socket, n_bytes: int) -> bytes:
    data = b""
    while len(data) < n_bytes:
        if not (more := channel.recv(n_bytes - len(data))):
            raise ConnectionResetError("closed in the middle of a name")
        data += more
    return data
