"""Rows and counts that are asked for again and again, kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from pplx_local.store.connection import Database

_Row = TypeVar("_Row")
_Counted = TypeVar("_Counted")
_UNKNOWN: Any = object()


class Remembered(Generic[_Row]):
    """What was read last of a table, by id, until something is written.

    The null sample is scored for every query, and is half of what is read for it.
    """

    def __init__(self, database: Database, most: int) -> None:
        """Remember as many rows of a database at the most."""
        self._database, self._most = database, most
        self._version: tuple[int, ...] | None = None
        self._rows: dict[int, _Row | None] = {}

    def get(
        self, ids: Sequence[int], read: Callable[[list[int]], Mapping[int, _Row]]
    ) -> list[_Row | None]:
        """Give rows in the order asked, None for those that are not there.

        Args:
            ids: Of the rows.
            read: Fetches those that exist of the rows that are not remembered.
        """
        with self._database.snapshot():
            self._forget_old()
            rows = {
                row_id: self._rows.pop(row_id, _UNKNOWN)
                for row_id in dict.fromkeys(ids)
            }
            unknown = [row_id for row_id, row in rows.items() if row is _UNKNOWN]
            found = read(unknown) if unknown else {}
        rows.update((row_id, found.get(row_id)) for row_id in unknown)
        self._rows.update(rows)  # behind the others: what was not asked for goes first
        n_too_many = max(0, len(self._rows) - self._most)
        for row_id in list(islice(self._rows, n_too_many)):
            del self._rows[row_id]
        return list(map(rows.__getitem__, ids))

    def _forget_old(self) -> None:
        version = self._database.version()
        if version != self._version:
            self._rows.clear()
            self._version = version


class Counts:
    """What was counted, until something is written.

    Every search asks for some, and an open interface for all of them every second.
    """

    def __init__(self, database: Database) -> None:
        """Remember nothing yet of a database."""
        self._database = database
        self._counted: tuple[object, dict[Hashable, Any]] = (None, {})
        """Counts, and the version of the database that they are true of."""

    def get(self, key: Hashable, count: Callable[[], _Counted]) -> _Counted:
        """Give what `count` gives, which is asked once for each state of the database."""
        version = self._database.version()
        if self._counted[0] != version:
            self._counted = (version, {})
        counts = self._counted[1]
        if key not in counts:
            counts[key] = count()
        counted: _Counted = counts[key]
        return counted
