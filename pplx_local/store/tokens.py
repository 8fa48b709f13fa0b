"""A late space's token vectors: one row per chunk, packed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import SpaceSpec, TokenVectors
from pplx_local.store.connection import Database, Row, ids_array
from pplx_local.store.remembered import Remembered

_NARROW = 1 << 15


class TokenTable:
    """Token vectors by chunk id."""

    def __init__(self, database: Database, name: str, spec: SpaceSpec) -> None:
        self._database = database
        self._name = name
        self._encoding = spec.token_encoding or "bits"
        in_bits = self._encoding == "bits"
        self._width = spec.n_bits // 8 if in_bits else spec.dim
        self._dtype: type[np.uint8 | np.int8] = np.uint8 if in_bits else np.int8

    def create(self) -> None:
        """Make the table."""
        self._database.execute(
            f"CREATE TABLE {self._name} (chunk_id INTEGER PRIMARY KEY,"
            " n_tokens INTEGER NOT NULL, codes BLOB NOT NULL, scales BLOB,"
            " positions BLOB NOT NULL) STRICT"
        )

    def drop(self) -> None:
        """Drop the table."""
        self._database.execute(f"DROP TABLE {self._name}")

    def insert(self, chunk_ids: Sequence[int], vectors: TokenVectors) -> None:
        """Insert the vectors of C chunks; a chunk without rows takes no room.

        Raises:
            ValueError: The vectors are of another encoding or width than the space.
        """
        if vectors.encoding != self._encoding or (
            vectors.codes.shape[1:] != (self._width,)
        ):
            raise ValueError(
                f"{vectors.encoding} vectors {vectors.codes.shape} do not fit a space "
                f"of {self._encoding} {self._width} bytes wide"
            )
        self._insert(_packed(chunk_ids, vectors))

    def copy(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Copy vectors: (from chunk, to chunk)."""
        self._database.many(
            f"INSERT OR REPLACE INTO {self._name} SELECT ?2, n_tokens, codes, scales,"
            f" positions FROM {self._name} WHERE chunk_id = ?1",
            pairs,
        )

    def select(
        self, chunk_ids: Sequence[int], remembered: Remembered[Row]
    ) -> TokenVectors:
        """Pack the vectors of chunks in the order asked; none for an unknown chunk."""
        found = remembered.get([int(each) for each in chunk_ids], self._rows)
        lengths = [0 if row is None else row[1] for row in found]
        present = [row for row in found if row is not None]
        codes = b"".join(row[2] for row in present)
        scales = b"".join(row[3] or b"" for row in present)
        flat: NDArray[Any] = np.frombuffer(codes, dtype=self._dtype)
        return TokenVectors(
            self._encoding,
            flat.reshape(-1, self._width),
            None if self._encoding == "bits" else np.frombuffer(scales, dtype="<f4"),
            _positions(present),
            np.cumsum([0, *lengths], dtype=np.int32),
        )

    def _rows(self, chunk_ids: Sequence[int]) -> dict[int, Row]:
        rows = self._database.rows(
            f"SELECT chunk_id, n_tokens, codes, scales, positions FROM {self._name}"
            " WHERE chunk_id IN carray(?)",
            (ids_array(chunk_ids),),
        )
        return {row[0]: row for row in rows}

    def delete(self, first_chunk: int, n_chunks: int) -> None:
        """Delete a run of chunks."""
        self._database.execute(
            f"DELETE FROM {self._name} WHERE chunk_id BETWEEN ? AND ?",
            (first_chunk, first_chunk + n_chunks - 1),
        )

    def size_bytes(self) -> int:
        """Add up the room that the vectors take."""
        size: int = self._database.value(
            "SELECT coalesce(sum(length(codes) + length(positions)"
            f" + coalesce(length(scales), 0)), 0) FROM {self._name}"
        )
        return size

    def _insert(self, rows: Iterable[Row]) -> None:
        self._database.many(
            f"INSERT OR REPLACE INTO {self._name} VALUES (?, ?, ?, ?, ?)", rows
        )


def _packed(chunk_ids: Sequence[int], vectors: TokenVectors) -> Iterator[Row]:
    narrow = vectors.positions.max(initial=0) < _NARROW
    positions = vectors.positions.astype("<i2" if narrow else "<i4")
    bounds = vectors.cu_seqlens.tolist()
    for index, chunk_id in enumerate(chunk_ids):
        rows = slice(bounds[index], bounds[index + 1])
        n_tokens = rows.stop - rows.start
        if n_tokens:
            scales = vectors.scales
            yield (
                int(chunk_id),
                n_tokens,
                vectors.codes[rows].tobytes(),
                None if scales is None else scales[rows].astype("<f4").tobytes(),
                positions[rows].tobytes(),
            )


def _positions(rows: Sequence[Row]) -> NDArray[np.int32]:
    """Unpack positions; their width shows in the number of bytes per token."""
    if all(len(row[4]) == 2 * row[1] for row in rows):  # of all but monstrous chunks
        narrow = b"".join(row[4] for row in rows)
        return np.frombuffer(narrow, dtype="<i2").astype(np.int32)
    parts = [
        np.frombuffer(row[4], dtype="<i2" if len(row[4]) == 2 * row[1] else "<i4")
        for row in rows
    ]
    return np.concatenate(parts).astype(np.int32)
