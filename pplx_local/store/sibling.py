"""Reads on a second connection, while the caller goes on with the first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pplx_local.store.connection import Database

_Found = TypeVar("_Found")


class Sibling:
    """A thread with a connection of its own: SQLite works outside of Python's lock."""

    def __init__(self, database: Database) -> None:
        """Open the file of a database once more."""
        self._reader = database.sibling()
        self._thread = ThreadPoolExecutor(1, "sibling")

    def begin(self, read: Callable[[Database], _Found]) -> Callable[[], _Found]:
        """Begin to read one state of the file; return what waits for it."""
        return self._thread.submit(self._read, read).result

    def _read(self, read: Callable[[Database], _Found]) -> _Found:
        with self._reader.snapshot():
            return read(self._reader)

    def close(self) -> None:
        """Close the connection, once what was begun has ended."""
        self._thread.shutdown()
        self._reader.close()
