"""What a scan decided, on its way into the database.

Between two of its steps other scans may look at the same files and the reader may read
them; so a record is replaced only when it still is what the decision was based on.
"""

from __future__ import annotations

from pplx_local.index.look import record_of
from pplx_local.records import FileRecord, FolderRecord
from pplx_local.store import Store, Waiting
from pplx_local.watch import Found

WAITS = "waits to be read"
_BATCH = 2_000


class Changes:
    """Decisions that are written together, in one transaction."""

    def __init__(self, store: Store, *, anew: bool) -> None:
        """Start empty.

        Args:
            store: Open for writing.
            anew: Forget the failed attempts of files that have to be read.
        """
        self._store, self._anew = store, anew
        self._settled: list[tuple[FileRecord | None, FileRecord]] = []
        self._to_read: list[tuple[FolderRecord, Found, bool]] = []

    @property
    def are_many(self) -> bool:
        """Whether they should be written now."""
        return len(self._settled) + len(self._to_read) >= _BATCH

    def settle(self, old: FileRecord | None, new: FileRecord) -> None:
        """Replace a record; the file need not be read."""
        if new != old:
            self._settled.append((old, new))

    def read(self, folder: FolderRecord, found: Found, *, stale: bool) -> None:
        """Let a file wait to be read; what it was before answers on."""
        self._to_read.append((folder, found, stale))

    def write(self) -> None:
        """Write them all, or none."""
        if not (self._settled or self._to_read):
            return
        with self._store.transaction():
            registered = {folder.folder_id for folder in self._store.folders()}
            for old, new in self._settled:
                if new.folder_id in registered and self._store.file(new.path) == old:
                    self._store.put_file(new)
                    self._store.unqueue(new.path)
            for folder, found, stale in self._to_read:
                if folder.folder_id in registered:
                    self._queue(folder, found, stale)
        self._settled.clear()
        self._to_read.clear()

    def _queue(self, folder: FolderRecord, found: Found, stale: bool) -> None:
        if self._store.file(found.path) is None:
            self._store.put_file(record_of(folder, found, "pending", WAITS))
        path, device, inode, size, mtime_ns, _ = found
        waiting = Waiting(
            path, folder.folder_id, device, inode, size, mtime_ns, stale=stale
        )
        self._store.queue_files([waiting], anew=self._anew)
