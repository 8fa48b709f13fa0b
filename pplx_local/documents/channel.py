"""How files reach the child: open, so that it need not be able to open any."""

from __future__ import annotations

import socket
from collections.abc import Iterator

_LENGTH_BYTES = 4


def send_file(channel: socket.socket, name: bytes, descriptor: int) -> None:
    """Send an open file; the sender keeps its own descriptor."""
    length = len(name).to_bytes(_LENGTH_BYTES)
    socket.send_fds(channel, [length], [descriptor])
    channel.sendall(name)


def received_files(channel: socket.socket) -> Iterator[tuple[bytes, int]]:
    """Take names and descriptors until the channel is closed."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(channel, _LENGTH_BYTES, 1)
        if not header:
            return
        (descriptor,) = descriptors
        yield _bytes(channel, int.from_bytes(header)), descriptor


def _bytes(channel: socket.socket, n_bytes: int) -> bytes:
    data = b""
    while len(data) < n_bytes:
        if not (more := channel.recv(n_bytes - len(data))):
            raise ConnectionResetError("closed in the middle of a name")
        data += more
    return data
