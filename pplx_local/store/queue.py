"""Files that have to be read: coalesced by path, the newest first, tried again later.

A file that waits always has a record beside it, and leaves the queue with it. Stale ones
wait behind all others: what an older program made of them answers meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pplx_local.records import QueueStatus
from pplx_local.store.connection import Database, Row
from pplx_local.store.numbers import signed, unsigned

BACK_OFF_S = (2, 30)
"""From a failure that may mend itself to the next try: the first time, and then."""

_LONGEST_NS = max(BACK_OFF_S) * 10**9
_COLUMNS = (
    "path, folder_id, device, inode, size, mtime_ns, attempts, due_ns, reason, stale"
)
# What is due later than any back-off was put off by a clock that has since jumped back.
_DUE = f"(due_ns <= :now OR due_ns > :now + {_LONGEST_NS})"


class Waiting(NamedTuple):
    """A file that has to be read, as it was when it was noticed."""

    path: bytes
    folder_id: int
    device: int
    inode: int
    size: int
    mtime_ns: int
    attempts: int = 0
    """That failed."""
    due_ns: int = 0
    """When the next one is."""
    reason: str | None = None
    """Why the last one failed."""
    stale: bool = False
    """Whether it has to be read only because an older program made its document, which is
    embedded: that can wait."""


class Queue:
    """The files that have to be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, files: Iterable[Waiting], *, anew: bool) -> None:
        """Let files with records wait to be read; each at most once.

        Args:
            files: Those that are here already and have not changed wait on as they do.
            anew: Forget their failed attempts all the same.
        """
        same = "" if anew else _SAME
        kept = ", ".join(
            f"{column} = CASE WHEN {same or 'FALSE'} THEN queue.{column}"
            f" ELSE excluded.{column} END"
            for column in ("attempts", "due_ns", "reason")
        )
        self._database.many(
            f"INSERT INTO queue ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)"
            f" ON CONFLICT (path) DO UPDATE SET {kept}, folder_id = excluded.folder_id,"
            " device = excluded.device, inode = excluded.inode, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, stale = excluded.stale",
            map(_bindings, files),
        )

    def get(self, path: bytes) -> Waiting | None:
        """Look one file up."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM queue WHERE path = ?", (path,)
        )
        return _waiting(row) if row else None

    def of_inode(self, device: int, inode: int) -> list[Waiting]:
        """List the files with this inode."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM queue WHERE inode = ? AND device = ? ORDER BY path",
            (signed(inode), signed(device)),
        )
        return [_waiting(row) for row in rows]

    def due(self, now_ns: int, limit: int, *, stale: bool = False) -> list[Waiting]:
        """List what is to be read now, the newest first, and then the stale if asked."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM queue WHERE stale <= :stale AND {_DUE}"
            " ORDER BY stale, mtime_ns DESC, path LIMIT :limit",
            {"now": now_ns, "limit": limit, "stale": stale},
        )
        return [_waiting(row) for row in rows]

    def count_due(self, now_ns: int, *, stale: bool = False) -> int:
        """Count what `due` would list without a limit."""
        n_files: int = self._database.value(
            # By the index it would take seven times as long: it does not hold due_ns.
            f"SELECT count(*) FROM queue WHERE +stale <= :stale AND {_DUE}",
            {"now": now_ns, "stale": stale},
        )
        return n_files

    def has_stale(self, now_ns: int) -> bool:
        """Tell whether a stale file is to be read now."""
        found = self._database.value(
            f"SELECT 1 FROM queue WHERE stale = 1 AND {_DUE} LIMIT 1", {"now": now_ns}
        )
        return found is not None

    def freshen(self) -> None:
        """Let stale files whose documents have no vectors wait no longer than others."""
        self._database.execute(
            "UPDATE queue SET stale = 0 WHERE stale = 1 AND NOT EXISTS (SELECT 1 FROM"
            " files JOIN document_spaces USING (document_id)"
            " WHERE files.path = queue.path)"
        )

    def next_try_s(self, now_ns: int) -> float | None:
        """Give the seconds until a file is due that is not stale; None when none waits."""
        if self.due(now_ns, 1):
            return 0.0
        due_ns = self._database.value("SELECT min(due_ns) FROM queue WHERE stale = 0")
        return None if due_ns is None else (due_ns - now_ns) / 1e9

    def put_off(self, path: bytes, reason: str, now_ns: int) -> int:
        """Count a failed attempt; return the seconds until the next one."""
        attempts: int = self._database.value(
            "SELECT attempts FROM queue WHERE path = ?", (path,)
        )
        wait_s = BACK_OFF_S[min(attempts, len(BACK_OFF_S) - 1)]
        self._database.execute(
            "UPDATE queue SET attempts = attempts + 1, due_ns = ?, reason = ?"
            " WHERE path = ?",
            (now_ns + wait_s * 10**9, reason, path),
        )
        return wait_s

    def remove(self, path: bytes) -> None:
        """Take a file out: it was read, or need not be."""
        self._database.execute("DELETE FROM queue WHERE path = ?", (path,))

    def status(self) -> QueueStatus:
        """Count what waits."""
        row = self._database.row(
            "SELECT count(*), total(attempts > 0), total(stale) FROM queue"
        )
        return QueueStatus(*map(int, row or ()))


_SAME = " AND ".join(
    f"queue.{column} = excluded.{column}" for column in ("inode", "size", "mtime_ns")
)


def _waiting(row: Row) -> Waiting:
    path, folder_id, device, inode, *rest, stale = row
    numbers = unsigned(device), unsigned(inode)
    values: Row = (path, folder_id, *numbers, *rest, bool(stale))
    return Waiting(*values)


def _bindings(file: Waiting) -> Row:
    return tuple(file._replace(device=signed(file.device), inode=signed(file.inode)))
