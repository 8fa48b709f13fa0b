"""A dense space's vectors in sqlite-vec, and the exact shortlist by Hamming distance.

sqlite-vec merges every block of rows into the top k, so a large k is dear and the scan
itself is cheap. Rows therefore lie in shards; each is asked for few, and a shard that
could hold more of the answer is asked again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from pplx_local.store.connection import Database, Row, ids_json

MAX_K = 4_096
"""sqlite-vec's own limit."""
SHARDS = ((50_000, 1), (250_000, 4), (1_000_000, 16))
"""(fewer rows than, shards)."""
MOST_SHARDS = 64
"""Measured at 1,000,000 x 1,024 bits, k = 500, two threads: 1 shard 600 ms, 16 shards
49 ms, 32 shards 36 ms, 64 shards 36 ms."""

_ROWS_AT_ONCE = 10_000
_BLOCKS_AT_ONCE = 32


def shards_for(n_rows: int) -> int:
    """Choose how many shards a table of this size has."""
    return next((n for limit, n in SHARDS if n_rows < limit), MOST_SHARDS)


class DenseTable:
    """A vec0 table; usable on its own with any `Database`.

    A row is (chunk id, codes, bits). There is no update: rows are deleted and inserted.
    """

    def __init__(
        self, database: Database, name: str, dim: int, n_bits: int, n_shards: int
    ) -> None:
        self.n_shards = n_shards
        self._database = database
        self.name = name
        self._dim = dim
        self._n_bits = n_bits

    def create(self) -> None:
        """Make the table."""
        self._database.execute(
            f"CREATE VIRTUAL TABLE {self.name} USING vec0(shard integer partition key,"
            f" codes int8[{self._dim}] distance_metric=cosine, bits bit[{self._n_bits}],"
            " chunk_size=1024)"
        )

    def drop(self) -> None:
        """Drop the table."""
        self._database.execute(f"DROP TABLE {self.name}")

    def insert(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Insert rows (chunk id, codes, bits) whose ids are new.

        The codes must not be all zero: their cosine would be NULL.
        """
        self._database.many(
            f"INSERT INTO {self.name} (rowid, shard, codes, bits)"
            " VALUES (?, ?, vec_int8(?), vec_bit(?))",
            (
                (row_id, row_id % self.n_shards, codes, bits)
                for row_id, codes, bits in rows
            ),
        )

    def delete(self, chunk_ids: Iterable[int]) -> None:
        """Delete rows; ids without one are passed over."""
        self._database.many(
            f"DELETE FROM {self.name} WHERE rowid = ?", ((i,) for i in chunk_ids)
        )

    def existing(self, chunk_ids: Sequence[int]) -> list[int]:
        """Pick the ids that have a row."""
        rows = self._database.rows(
            f"SELECT rowid FROM {self.name}_rowids"
            " WHERE rowid IN (SELECT value FROM json_each(?))",
            (ids_json(chunk_ids),),
        )
        return [row_id for (row_id,) in rows]

    def select(self, chunk_ids: Iterable[int]) -> list[tuple[int, bytes, bytes]]:
        """Fetch the rows (chunk id, codes, bits) that exist."""
        rows = self._database.rows_of_each(
            f"SELECT rowid, codes, bits FROM {self.name} WHERE rowid = ?",
            ((int(i),) for i in chunk_ids),
        )
        return [(row_id, codes, bits) for row_id, codes, bits in rows]

    def codes(self, chunk_ids: Iterable[int]) -> dict[int, bytes]:
        """Fetch the codes of the rows that exist, by chunk id.

        sqlite-vec keeps those of 1,024 rows in one blob; to cut them out of it takes a
        quarter of the time that it takes to ask for them row by row.
        """
        with self._database.snapshot():
            rows = self._database.rows(
                f"SELECT rowid, chunk_id, chunk_offset FROM {self.name}_rowids"
                " WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY chunk_id",
                (ids_json(chunk_ids),),
            )
            codes = self._database.pieces(
                f"{self.name}_vector_chunks00",
                "vectors",
                ((block, place * self._dim, self._dim) for _, block, place in rows),
            )
        return dict(zip((row[0] for row in rows), codes, strict=True))

    def count(self) -> int:
        """Count the rows."""
        n_rows: int = self._database.value(f"SELECT count(*) FROM {self.name}_rowids")
        return n_rows

    def allocated(self) -> int:
        """Count the rows that the table has taken room for."""
        n_rows: int = self._database.value(
            f"SELECT coalesce(sum(size), 0) FROM {self.name}_chunks"
        )
        return n_rows

    def size_bytes(self) -> int:
        """Add up the room that the vectors take."""
        return self.allocated() * (self._dim + self._n_bits // 8 + 8)

    def copy_into(self, other: DenseTable) -> None:
        """Insert all rows into another table."""
        after = -1
        while ids := self._ids(after):
            other.insert(self.select(ids))
            after = ids[-1]

    def _ids(self, after: int) -> list[int]:
        rows = self._database.rows(
            f"SELECT rowid FROM {self.name}_rowids WHERE rowid > ?"
            " ORDER BY rowid LIMIT ?",
            (after, _ROWS_AT_ONCE),
        )
        return [row_id for (row_id,) in rows]

    # --- the shortlist, all at once ---

    def distances(
        self, query_bits: NDArray[np.uint8], part: int = 0, n_parts: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Measure every row (N,) of a part: chunk ids and Hamming distances.

        sqlite-vec keeps the bits of 1,024 rows in one blob; read in place of its rows,
        they take a tenth of the time that it takes to find 500 neighbours of 50,000.
        """
        ids: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        found: list[NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
        for validity, rowids, bits in self._blocks(part, n_parts):
            valid = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
            rows = np.flatnonzero(valid)
            ids.append(np.frombuffer(rowids, np.int64)[rows])
            found.append(_hamming(bits, query_bits)[rows])
        return np.concatenate(ids), np.concatenate(found)

    def _blocks(self, part: int, n_parts: int) -> Iterator[Row]:
        """Give (which rows are valid, their chunk ids, their bits), some at a time."""
        after = -1
        while rows := self._database.rows(
            f"SELECT validity, rowids, vectors, chunk_id FROM {self.name}_chunks c"
            f" JOIN {self.name}_vector_chunks01 v ON v.rowid = c.chunk_id"
            " WHERE chunk_id > ? AND chunk_id % ? = ? ORDER BY chunk_id LIMIT ?",
            (after, n_parts, part, _BLOCKS_AT_ONCE),
        ):
            yield from (row[:3] for row in rows)
            after = rows[-1][3]

    # --- the shortlist, shard by shard ---

    def ask(self, shard: int, bits: bytes, k: int) -> list[Row]:
        """Give (chunk id, distance) of k nearest rows of a shard; ties at will."""
        return self._database.rows(
            f"SELECT rowid, distance FROM {self.name}"
            " WHERE bits MATCH vec_bit(?) AND k = ? AND shard = ?",
            (bits, k, shard),
        )

    def scan(self, shard: int, bits: bytes, k: int) -> list[Row]:
        """Give the k nearest rows of a shard, ties by chunk id, reading every row."""
        return self._database.rows(
            "SELECT rowid, vec_distance_hamming(bits, vec_bit(?)) AS distance"
            f" FROM {self.name} WHERE shard = ? ORDER BY distance, rowid LIMIT ?",
            (bits, shard, k),
        )


Asked = tuple[int, int]
"""A shard, and the k it is asked for; a k beyond `MAX_K` stands for a scan."""


class Shortlist:
    """The k nearest rows, certified: which shards still have to be asked, for how many.

    A shard is done when it is exhausted, or when its last row lies strictly beyond the
    k-th of all rows seen: whatever it still holds lies further.
    """

    def __init__(self, n_shards: int, k: int) -> None:
        self._k = k
        self._rows: dict[int, list[Row]] = {}
        self._asked = dict.fromkeys(range(n_shards), _first_k(n_shards, k))

    def open(self) -> list[Asked]:
        """List the shards to ask next."""
        cut = self._cut()
        for shard, rows in self._rows.items():
            k = self._asked.get(shard, 0)
            if not k:
                continue
            if k > MAX_K or len(rows) < k or rows[-1][1] > cut:
                del self._asked[shard]
            else:
                self._asked[shard] = MAX_K if k < MAX_K < 2 * k else 2 * k
        return list(self._asked.items())

    def answer(self, shard: int, rows: list[Row]) -> None:
        """Take what a shard gave."""
        self._rows[shard] = rows

    def result(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Give chunk ids and distances, (k,) each or fewer, sorted."""
        ids, distances = self._seen()
        order = np.lexsort((ids, distances))[: self._k]
        return ids[order], distances[order]

    def _cut(self) -> float:
        distances = self._seen()[1]
        if len(distances) < self._k:
            return math.inf
        return float(np.partition(distances, self._k - 1)[self._k - 1])

    def _seen(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        pairs = [row for rows in self._rows.values() for row in rows]
        table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        return table[:, 0].astype(np.int64), table[:, 1].astype(np.int32)


def _hamming(rows: bytes, query: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Count the bits (N,) in which packed rows differ from a query (B/8,)."""
    word = np.dtype(np.uint64 if len(query) % 8 == 0 else np.uint8)
    wanted = np.frombuffer(query.tobytes(), word)
    table = np.frombuffer(rows, word).reshape(-1, len(wanted))
    differing = np.bitwise_xor(table, wanted)
    counts = np.bitwise_count(differing).astype(np.float32)
    # Exact below 2**24, and half the time of a sum over so short an axis.
    return (counts @ np.ones(len(wanted), np.float32)).astype(np.int32)


def nearest(
    tables: Sequence[DenseTable], query_bits: NDArray[np.uint8], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find exactly the k nearest rows by Hamming distance, ties by chunk id.

    Args:
        tables: The same table on one connection or several, a thread each: SQLite
            works outside of Python's lock.
        query_bits: (B/8,) packed most significant bit first.
        k: How many, without a limit.

    Returns:
        Chunk ids and distances, (k,) each, or fewer when there are fewer rows.
    """
    bits = query_bits.tobytes()
    shortlist = Shortlist(tables[0].n_shards, k)
    with ThreadPoolExecutor(len(tables)) as threads:
        while asked := shortlist.open():
            shares = [asked[i :: len(tables)] for i in range(len(tables))]
            ask = functools.partial(_ask_all, bits=bits, k=k)
            for answers in threads.map(ask, tables, shares):
                for shard, rows in answers:
                    shortlist.answer(shard, rows)
    return shortlist.result()


def _ask_all(
    table: DenseTable, asked: Iterable[Asked], bits: bytes, k: int
) -> list[tuple[int, list[Row]]]:
    return [
        (shard, table.scan(shard, bits, k) if n > MAX_K else table.ask(shard, bits, n))
        for shard, n in asked
    ]


def _first_k(n_shards: int, k: int) -> int:
    """Ask each shard for its share and three standard deviations more.

    A single shard has no share to guess, only rows that tie with the last one: without
    some room for them nearly every query is asked twice, which takes three times as
    long (measured at 2,000, 20,000 and 45,000 rows).
    """
    share = k / n_shards
    room = k / 8 + 8 if n_shards == 1 else 3 * math.sqrt(share)
    return min(math.ceil(share + room) + 1, MAX_K)
