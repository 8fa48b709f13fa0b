"""One SQLite connection: how it is opened, and the translation of its errors.

Everything in the store speaks to SQLite through `Database`, so that no error of the
driver ever reaches a caller untranslated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import sqlite_vec

from pplx_local.errors import StoreBusy, StoreDamaged, StoreError, StoreFull

BUSY_TIMEOUT_MS = 5_000
_CHECKPOINT_TIMEOUT_MS = 100
JOURNAL_SIZE_LIMIT_BYTES = 64 << 20
CACHE_SIZE_KIB = 32 << 10
MMAP_BYTES = 16 << 30
"""Of a connection that only reads: a fifth off the scan of a million vectors."""

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"
_LOOKS = 3
"""At a file that seems truncated: a checkpoint can end between header and size."""
_VEC_DAMAGED = re.compile("Internal sqlite-vec error|Error opening vector blob")
"""sqlite-vec tells of what is missing in its tables as of an error in the SQL."""

_TRANSACTION = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")

Row = tuple[Any, ...]
Bindings = Sequence[Any] | Mapping[str, Any]


class Database:
    """A connection whose errors are the program's own."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open a file that `create_file` or an earlier run has made.

        Raises:
            StoreDamaged: The file is truncated or no SQLite database.
            StoreError: It cannot be opened, or sqlite-vec computes wrong distances.
        """
        self.path = path
        self.readonly = readonly
        with self._translated():
            check_header(path)
            self._connection = _connect(path, readonly)
        self._level = 0
        self._n_undone = 0
        self._is_snapshot = False
        self._data_version: int | None = None
        """Of the snapshot that is open, once it was asked for."""
        self._self_test()

    def close(self) -> None:
        """Give the connection back; closing twice is harmless."""
        with self._translated():
            self._connection.close()

    def sibling(self) -> Database:
        """Open a second connection to the same file, for reading."""
        return Database(self.path, readonly=True)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction or a snapshot is open."""
        return self._connection.in_transaction

    def execute(self, sql: str, bindings: Bindings = ()) -> None:
        """Run a statement for its effect."""
        with self._translated():
            self._connection.execute(sql, bindings)

    def many(self, sql: str, bindings: Iterable[Bindings]) -> None:
        """Run a statement for its effect, once for each set of bindings."""
        with self._translated():
            self._connection.executemany(sql, bindings)

    def rows(self, sql: str, bindings: Bindings = ()) -> list[Row]:
        """Fetch every row."""
        with self._translated():
            return self._connection.execute(sql, bindings).fetchall()

    def rows_of_each(self, sql: str, bindings: Iterable[Bindings]) -> list[Row]:
        """Fetch the rows of a query run once for each set of bindings."""
        with self._translated():
            return self._connection.executemany(sql, bindings).fetchall()

    def pieces(
        self, table: str, column: str, pieces: Sequence[tuple[int, int, int]]
    ) -> list[bytes]:
        """Cut pieces (row id, first byte, bytes) out of blobs.

        Those of one row should follow each other: going to another one takes longest.
        """
        if not pieces:
            return []
        found, row = [], pieces[0][0]
        with self._translated(), self._blob(table, column, row) as blob:
            for row_id, start, n_bytes in pieces:
                if row_id != row:
                    blob.reopen(row_id)
                row = row_id
                blob.seek(start)
                found.append(blob.read(n_bytes))
        return found

    def blobs(
        self, table: str, column: str, row_ids: Sequence[int]
    ) -> Iterator[bytearray]:
        """Read blobs of one size, each into the memory that the last one was in.

        By a query, SQLite would copy each of them three times.
        """
        if not row_ids:
            return
        with self._translated(), self._blob(table, column, row_ids[0]) as blob:
            memory = bytearray(blob.length())
            for row_id in row_ids:
                blob.reopen(row_id)
                blob.read_into(memory)
                yield memory

    @contextmanager
    def _blob(self, table: str, column: str, row_id: int) -> Iterator[apsw.Blob]:
        blob = self._connection.blob_open("main", table, column, row_id, False)
        try:
            yield blob
        finally:
            blob.close()

    def row(self, sql: str, bindings: Bindings = ()) -> Row | None:
        """Fetch the first row, or None."""
        found = self.rows(sql, bindings)
        return found[0] if found else None

    def value(self, sql: str, bindings: Bindings = ()) -> Any:
        """Fetch the first column of the first row; None without a row."""
        found = self.row(sql, bindings)
        return found[0] if found else None

    def add_fts5_function(
        self, name: str, function: Callable[..., float | str | bytes]
    ) -> None:
        """Let SQL call a function on the rows that FTS5 has found."""
        with self._translated():
            self._connection.register_fts5_function(name, function)

    def version(self) -> tuple[int, int, int]:
        """Give what differs after a write on this connection or another, or its undoing."""
        data_version = self._data_version
        if data_version is None:
            data_version = self.value("PRAGMA data_version")
        if self._is_snapshot:  # it asks dozens of times, and sees no other's writes
            self._data_version = data_version
        return data_version, self._connection.total_changes(), self._n_undone

    def changes(self) -> int:
        """Count the rows that the last statement inserted, changed or deleted."""
        return self._connection.changes()

    def checkpoint(self) -> None:
        """Write the log back into the file and empty it, unless readers need it."""
        with self._translated():
            self._connection.set_busy_timeout(_CHECKPOINT_TIMEOUT_MS)
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open an immediate transaction, or a savepoint inside one.

        Raises:
            StoreFull: The disk is full; nothing of the transaction was kept.
            StoreBusy: Another process holds the write lock.
        """
        level = self._level
        begin, commit, undo = _TRANSACTION if level == 0 else _savepoint(level)
        self.execute(begin)
        self._level += 1
        try:
            yield
            self.execute(commit)
        except BaseException as error:
            self._n_undone += 1
            # A full disk makes SQLite itself roll everything back.
            if self.in_transaction:
                self._undo(undo, error)
            raise
        finally:
            self._level = level

    def _undo(self, statements: str, error: BaseException) -> None:
        try:
            self.execute(statements)
        except StoreError:
            # Ctrl-C can come just after a savepoint was released. Then the transaction
            # around it undoes all, and the interruption is what should be told.
            if isinstance(error, Exception):
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let several reads see one state; joins an open transaction."""
        if self.in_transaction:
            yield
            return
        self.execute("BEGIN DEFERRED")
        self._is_snapshot = True
        try:
            yield
        finally:
            self._is_snapshot, self._data_version = False, None
            if self.in_transaction:
                self.execute("COMMIT")

    def _self_test(self) -> None:
        """Compare sqlite-vec's distances with known answers: kernels have been wrong."""
        cosine, hamming = self.row(
            "SELECT vec_distance_cosine(vec_int8(x'7F80017F'), vec_int8(x'7F80FF7F')),"
            " vec_distance_hamming(vec_bit(x'FF00FF0180'), vec_bit(x'0F00FE0100'))"
        ) or (None, None)
        # By hand: dot 48641 over squared norms of 48643; 4 + 1 + 1 differing bits.
        expected = 1 - 48641 / 48643
        if hamming != 6 or abs((cosine or 0) - expected) > 1e-6:
            raise StoreError(
                f"sqlite-vec {sqlite_vec.__version__} computes wrong distances on this "
                "machine. Reinstall it: pip install --force-reinstall sqlite-vec"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise _translate(error, self.path) from error


def _savepoint(level: int) -> tuple[str, str, str]:
    name = f"level_{level}"
    undo = f"ROLLBACK TO {name}; RELEASE {name}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", undo


def create_file(path: Path) -> None:
    """Make an empty file that only its owner can read; SQLite's others follow it.

    Raises:
        StoreError: The folder or the file cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"Cannot create the index {path}: {error.strerror}. Choose another home "
            "with --home, or mend the permissions."
        ) from error


def check_header(path: Path) -> None:
    """Refuse a file that is no SQLite database, or shorter than it says.

    SQLite itself notices missing pages only when it reads them, which may be never.
    While a write-ahead log is there, the file alone cannot be judged.

    Raises:
        StoreDamaged: As above.
        StoreError: The file cannot be read.
    """
    size = n_bytes = 0
    for _ in range(_LOOKS):
        size, n_bytes = _sizes(path)
        if size >= n_bytes:
            return
    raise _damaged(path, f"it is truncated to {size:,} of {n_bytes:,} bytes")


def _sizes(path: Path) -> tuple[int, int]:
    """Give the bytes of a file, and those that it has to have at least."""
    wal = path.with_name(path.name + "-wal")
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        size, wal_size = path.stat().st_size, wal.stat().st_size if wal.exists() else 0
    except OSError as error:
        raise StoreError(f"Cannot read the index {path}: {error.strerror}.") from error
    if size == 0:
        return 0, 0
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise _damaged(path, "it is not a SQLite database")
    # File format, section 1.3: the page size at 16 (1 stands for 65,536), the number
    # of pages at 28.
    page_size = int.from_bytes(header[16:18], "big")
    n_pages = int.from_bytes(header[28:32], "big")
    n_bytes = n_pages * (65_536 if page_size == 1 else page_size)
    return size, 0 if wal_size else n_bytes


def ids_array(ids: Iterable[int]) -> apsw.CArrayBinding | None:
    """Bind many ids as one value, for `IN carray(?)`: none are bound as NULL."""
    array = np.fromiter(ids, np.int64)
    return apsw.carray(array) if len(array) else None


def file_uri(path: Path) -> str:
    """Name a file to SQLite: unlike a plain name, a URI can hold any bytes."""
    return path.absolute().as_uri()


def _connect(path: Path, readonly: bool) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE
    uri = file_uri(path)
    if readonly and _never_changes(path):
        uri += "?immutable=1"
    connection = apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    connection.pragma("trusted_schema", False)
    connection.pragma("foreign_keys", True)
    connection.pragma("cache_size", -CACHE_SIZE_KIB)
    connection.pragma("temp_store", "memory")
    if readonly:
        connection.pragma("mmap_size", MMAP_BYTES)
    else:
        connection.pragma("journal_mode", "wal")
        # In WAL mode a killed process loses no commit, and a power cut can lose the
        # last ones but never corrupts: an update finds what is missing again.
        connection.pragma("synchronous", "normal")
        connection.pragma("journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)
        connection.pragma("secure_delete", True)
    return connection


def _never_changes(path: Path) -> bool:
    """Tell whether a file lies on a read-only medium, all in one piece.

    SQLite keeps its index of the write-ahead log beside the file, even to read it.
    """
    wal, shm = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    is_whole = not shm.exists() and not (wal.exists() and wal.stat().st_size)
    return is_whole and not os.access(path.parent, os.W_OK)


def _translate(error: apsw.Error, path: Path) -> StoreError:
    if isinstance(error, apsw.FullError):
        return StoreFull(
            f"The disk is full: {path} could not grow, and the last step was undone. "
            "Free some space and run the same command again."
        )
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreBusy(
            f"Another pplx-local process is writing to {path}. Wait for it to end, or "
            "stop it, and run the same command again."
        )
    if isinstance(error, apsw.CorruptError | apsw.NotADBError | apsw.FormatError):
        return _damaged(path, str(error))
    if isinstance(error, apsw.SQLError) and _VEC_DAMAGED.match(str(error)):
        return _damaged(path, str(error))
    if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError):
        return StoreError(f"The index {path} cannot be written: {error}")
    if isinstance(error, apsw.CantOpenError):
        return StoreError(
            f"Cannot open the index {path}: {error}. Is its folder readable and "
            "writable for you?"
        )
    if isinstance(error, apsw.IOError):  # a full disk too, where a search has to write
        return StoreError(
            f"The index {path} cannot be read or written: {error}. Is its disk full, or "
            "away? Make room, or bring it back, and run the same command again."
        )
    return StoreError(f"The index {path} gave an error: {error}")


def _damaged(path: Path, what: str) -> StoreDamaged:
    return StoreDamaged(
        f"The index {path} is damaged: {what}. Delete it, {path.name}-wal and "
        f"{path.name}-shm, all three; then copy a backup there, or add your folders "
        "again. Your own files are not touched."
    )
