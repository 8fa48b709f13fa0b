"""Registered folders and the files seen in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pplx_local.records import FileRecord, FolderRecord, State
from pplx_local.store.connection import Database, Row, ids_array
from pplx_local.store.lexical.naming import name_words
from pplx_local.store.names import facts_of
from pplx_local.store.numbers import signed, unsigned

_ROWS_AT_ONCE = 1_000
_COLUMNS = (
    "path, folder_id, device, inode, size, mtime_ns, digest, state, reason, "
    "document_id, pipeline, retry"
)
_FEW: tuple[State, ...] = ("pending", "no_text", "empty", "failed", "unreachable")
"""States of few files, as a rule: by path, all files would be gone through for them."""
_FACTS = "folded, name_start, type, name_words"
"""That follow from the path."""


class Files:
    """What the walks have found, by path."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_folder(self, path: bytes, device: int, added_ns: int) -> FolderRecord:
        """Register a folder; one that is registered already stays as it is.

        Folders inside it are no longer registered, and their files become its own.
        """
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO folders (path, device, added_ns) VALUES (?, ?, ?) "
                "ON CONFLICT (path) DO NOTHING",
                (path, signed(device), added_ns),
            )
            folder = next(one for one in self.folders() if one.path == path)
            inside = path.rstrip(b"/") + b"/"
            for inner in self.folders():
                if inner.path.startswith(inside) and inner != folder:
                    self._take_over(folder.folder_id, inner.folder_id)
        return folder

    def _take_over(self, folder_id: int, inner_id: int) -> None:
        for table in ("files", "queue"):
            self._database.execute(
                f"UPDATE {table} SET folder_id = ? WHERE folder_id = ?",
                (folder_id, inner_id),
            )
        self._database.execute("DELETE FROM folders WHERE folder_id = ?", (inner_id,))

    def folders(self) -> list[FolderRecord]:
        """List the registered folders by path."""
        rows = self._database.rows(
            "SELECT folder_id, path, device, added_ns, scanned_ns FROM folders "
            "ORDER BY path"
        )
        return [
            FolderRecord(folder_id, path, unsigned(device), added_ns, scanned_ns)
            for folder_id, path, device, added_ns, scanned_ns in rows
        ]

    def set_scanned(self, folder_id: int, device: int, scanned_ns: int) -> None:
        """Record the end of a walk."""
        self._database.execute(
            "UPDATE folders SET device = ?, scanned_ns = ? WHERE folder_id = ?",
            (signed(device), scanned_ns, folder_id),
        )

    def remove_folder(self, folder_id: int) -> int:
        """Forget a folder and its files; say how many files."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM files WHERE folder_id = ?", (folder_id,)
            )
            n_files = self._database.changes()
            self._database.execute(
                "DELETE FROM folders WHERE folder_id = ?", (folder_id,)
            )
        return n_files

    def get(self, path: bytes) -> FileRecord | None:
        """Look one file up."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM files WHERE path = ?", (path,)
        )
        return _record(row) if row else None

    def select(
        self, folder_id: int | None, state: State | None, under: bytes | None
    ) -> Iterator[FileRecord]:
        """List files by path, in pages, so that writes in between do no harm."""
        conditions = _conditions(folder_id, state, under)
        after = b""
        while True:
            page = self._page(conditions, after, _ROWS_AT_ONCE)
            yield from page
            if len(page) < _ROWS_AT_ONCE:
                return
            after = page[-1].path

    def page(
        self, state: State | None, under: bytes | None, after: bytes, limit: int
    ) -> list[FileRecord]:
        """List the first files by path that come after one."""
        conditions, bindings = _conditions(None, state, under)
        if state in _FEW:  # all of a state are looked up, and sorted
            conditions += " AND folder_id IN (SELECT folder_id FROM folders)"
            return self._page((conditions, bindings), after, limit, path="+path")
        return self._page((conditions, bindings), after, limit)

    def _page(
        self,
        narrowed: tuple[str, Mapping[str, object]],
        after: bytes,
        limit: int,
        path: str = "path",
    ) -> list[FileRecord]:
        conditions, bindings = narrowed
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM files WHERE {path} > :after {conditions}"
            f" ORDER BY {path} LIMIT :limit",
            {**bindings, "after": after, "limit": limit},
        )
        return list(map(_record, rows))

    def put(self, records: Iterable[FileRecord]) -> None:
        """Insert files, or replace those of the same path."""
        self._database.many(
            f"INSERT INTO files ({_COLUMNS}, {_FACTS})"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
            "ON CONFLICT (path) DO UPDATE SET folder_id = excluded.folder_id,"
            " device = excluded.device, inode = excluded.inode, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, digest = excluded.digest,"
            " state = excluded.state, reason = excluded.reason,"
            " document_id = excluded.document_id, pipeline = excluded.pipeline,"
            " retry = excluded.retry",
            map(_bindings, records),
        )

    def forget(self, paths: Iterable[bytes]) -> None:
        """Drop files; their documents go when they are settled."""
        self._database.many(
            "DELETE FROM files WHERE path = ?", ((path,) for path in paths)
        )

    def count_states(
        self, folder_id: int | None, under: bytes | None
    ) -> dict[State, int]:
        """Count files by state; a state without files is absent."""
        conditions, bindings = _conditions(folder_id, None, under)
        rows = self._database.rows(
            f"SELECT state, count(*) FROM files WHERE true {conditions}"
            " GROUP BY state ORDER BY state",
            bindings,
        )
        return dict(rows)

    def paths_of(self, document_id: int) -> list[bytes]:
        """List the files that hold a document, by path."""
        rows = self._database.rows(
            "SELECT path FROM files WHERE document_id = ? ORDER BY path", (document_id,)
        )
        return [path for (path,) in rows]

    def paths_of_each(self, document_ids: Iterable[int]) -> dict[int, list[bytes]]:
        """List them for several documents at once."""
        paths: dict[int, list[bytes]] = {each: [] for each in document_ids}
        rows = self._database.rows(
            "SELECT document_id, path FROM files"
            " WHERE document_id IN carray(?) ORDER BY path",
            (ids_array(paths),),
        )
        for document_id, path in rows:
            paths[document_id].append(path)
        return paths


def _conditions(
    folder_id: int | None, state: State | None, under: bytes | None
) -> tuple[str, dict[str, object]]:
    """Narrow a list of files down; by path so that the index on it is of use."""
    conditions = ""
    bindings: dict[str, object] = {"folder": folder_id, "state": state}
    if folder_id is not None:
        conditions += " AND folder_id = :folder"
    if state is not None:
        conditions += " AND state = :state"
    if under is not None:
        inside = under.rstrip(b"/") + b"/"
        # "0" is the byte that follows "/".
        bindings |= {"root": inside[:-1] or b"/", "inside": inside}
        bindings["beyond"] = inside[:-1] + b"0"
        conditions += " AND path >= :root AND path < :beyond AND (path = :root OR path >= :inside)"
    used = {name: each for name, each in bindings.items() if f":{name}" in conditions}
    return conditions, used


def _record(row: Row) -> FileRecord:
    path, folder_id, device, inode, *rest, retry = row
    numbers = unsigned(device), unsigned(inode)
    values: Row = (path, folder_id, *numbers, *rest, bool(retry))
    return FileRecord(*values)


def _bindings(record: FileRecord) -> Row:
    return (
        record.path,
        record.folder_id,
        signed(record.device),
        signed(record.inode),
        record.size,
        record.mtime_ns,
        record.digest,
        record.state,
        record.reason,
        record.document_id,
        record.pipeline,
        int(record.retry),
        *facts_of(record.path),
        name_words(record.path),
    )
