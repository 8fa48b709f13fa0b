"""Opening a file that may be anything, and hashing exactly the bytes that were read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import Self

from pplx_local.errors import DocumentError, Unreadable, Unsupported

READ_BYTES = 1 << 20

_SPECIAL = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFDIR: "folder",
}


def special_kind(mode: int) -> str | None:
    """Name what `st_mode` says, in words; None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    return _SPECIAL.get(stat.S_IFMT(mode), "not a regular file")


def refusal(error: OSError) -> DocumentError:
    """Say in words why the system did not give a file."""
    if error.errno == errno.ELOOP:
        return Unsupported("symbolic link")
    if error.errno == errno.ENXIO:
        return Unsupported("socket")
    words = {
        errno.ENOENT: "no longer there",
        errno.ENOTDIR: "no longer there",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.ENAMETOOLONG: "its path is longer than the system allows",
        errno.EMFILE: "too many files are open",
        errno.EIO: "the disk reports an error",
    }
    reason = words.get(error.errno or 0, error.strerror or str(error))
    return Unreadable(reason, retry=True)


def open_regular(path: bytes) -> int:
    """Open a regular file for reading; return its descriptor.

    Raises:
        Unsupported: It is a link, a pipe, a socket, a device.
        Unreadable: The system refuses it.
    """
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise refusal(error) from error
    except ValueError as error:
        raise Unreadable("its path holds a NUL byte") from error
    if special := special_kind(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unsupported(special)
    return descriptor


class Source:
    """A regular file that is read once, from start to end.

    Args:
        file: Its path, or its descriptor, which is closed with this.

    Raises:
        Unsupported: It is a link, a pipe, a socket, a device.
        Unreadable: The system refuses it.
    """

    def __init__(self, file: bytes | int) -> None:
        self._hash = hashlib.blake2b(digest_size=32)
        self._descriptor = file if isinstance(file, int) else open_regular(file)
        self._before = os.fstat(self._descriptor)

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self._before.st_size

    def read(self, n_bytes: int = READ_BYTES) -> bytes:
        """Read on; empty at the end."""
        try:
            data = os.read(self._descriptor, n_bytes)
        except OSError as error:
            raise refusal(error) from error
        self._hash.update(data)
        return data

    def read_all(self) -> bytes:
        """Read everything that is left."""
        return b"".join(iter(self.read, b""))

    def finish(self) -> str:
        """Give the digest of the bytes, BLAKE2b-256 in hex.

        Raises:
            Unreadable: The file changed between opening and now.
        """
        while self.read():
            pass
        after = os.fstat(self._descriptor)
        before = self._before
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise Unreadable("changed while it was being read", retry=True)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def digest_file(path: bytes) -> str:
    """Hash a regular file: BLAKE2b-256 in hex.

    Raises:
        Unsupported: It is a link, a pipe, a socket, a device.
        Unreadable: The system refuses it, or it changed meanwhile.
    """
    with Source(path) as source:
        return source.finish()
