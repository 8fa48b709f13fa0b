"""Files that their parser's process did not survive: how often, by their bytes.

So a copy, or the same file under another name, is no new one; a newer parser is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pplx_local.store.connection import Database


class Kills(NamedTuple):
    """What is known of some bytes and the parser that they were given to."""

    n: int = 0
    reason: str = ""
    """Of the last time."""


class KillCount:
    """Counts them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, digest: str, pipeline: str) -> Kills:
        """Look up what these bytes did to this pipeline."""
        row = self._database.row(
            "SELECT n, reason FROM kills WHERE digest = ? AND pipeline = ?",
            (digest, pipeline),
        )
        return Kills(*row) if row else Kills()

    def add(self, digest: str, pipeline: str, reason: str) -> int:
        """Count one more; return how many there are."""
        self._database.execute(
            "INSERT INTO kills (digest, pipeline, n, reason) VALUES (?, ?, 1, ?)"
            " ON CONFLICT DO UPDATE SET n = n + 1, reason = excluded.reason",
            (digest, pipeline, reason),
        )
        return self.get(digest, pipeline).n

    def forget(self, digests: Iterable[str]) -> None:
        """Start afresh with these bytes."""
        self._database.many(
            "DELETE FROM kills WHERE digest = ?", ((digest,) for digest in digests)
        )

    def forget_gone(self) -> None:
        """Drop what no file holds any more."""
        self._database.execute(
            "DELETE FROM kills WHERE NOT EXISTS"
            " (SELECT 1 FROM files WHERE files.digest = kills.digest)"
        )
