"""The vectors of hidden documents, out of reach of the shortlist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pplx_local.store.connection import Database, ids_array


class ParkedTable:
    """One row for each hidden chunk that has a vector."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name

    def create(self) -> None:
        """Make the table."""
        self._database.execute(
            f"CREATE TABLE {self.name} (chunk_id INTEGER PRIMARY KEY,"
            " codes BLOB NOT NULL, bits BLOB NOT NULL) STRICT"
        )

    def drop(self) -> None:
        """Drop the table."""
        self._database.execute(f"DROP TABLE {self.name}")

    def insert(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Insert rows (chunk id, codes, bits)."""
        self._database.many(f"INSERT INTO {self.name} VALUES (?, ?, ?)", rows)

    def select(self, chunk_ids: Sequence[int]) -> list[tuple[int, bytes, bytes]]:
        """Fetch the rows (chunk id, codes, bits) that exist."""
        rows = self._database.rows(
            f"SELECT chunk_id, codes, bits FROM {self.name}"
            " WHERE chunk_id IN carray(?)",
            (ids_array(chunk_ids),),
        )
        return [(row_id, codes, bits) for row_id, codes, bits in rows]

    def delete(self, first_chunk: int, n_chunks: int) -> None:
        """Delete a run of chunks."""
        self._database.execute(
            f"DELETE FROM {self.name} WHERE chunk_id BETWEEN ? AND ?",
            (first_chunk, first_chunk + n_chunks - 1),
        )
