"""The vectors of all spaces: written, copied, hidden, shown, purged, searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import DenseVectors, SpaceSpec, TokenVectors
from pplx_local.reference import MEAN_LEVELS, mean_vectors
from pplx_local.store.connection import Database, Row
from pplx_local.store.dense import BLOCK_ROWS, DenseTable
from pplx_local.store.nearest import Nearest, merged, nearest
from pplx_local.store.parked import ParkedTable
from pplx_local.store.remembered import Remembered
from pplx_local.store.selection import Selection
from pplx_local.store.sibling import Sibling
from pplx_local.store.spaces import Space, Spaces
from pplx_local.store.tokens import TokenTable

LIVE_SHARE = 0.6
"""A dense table with a smaller share of live rows is rebuilt at a purge."""

_ROWS_TO_BEGIN = 20_000
"""They are measured in 1.5 ms: what is less is not worth another thread."""
_ROWS_FOR_TWO = 300_000
"""Up to here a second thread gains 2 % of a search, and takes it from who types on."""
_CODES_KEPT = 2_048
_TOKEN_ROWS_KEPT = 1_024
"""Chunks: 6 MB of the starter's, 30 MB of a large model's."""


class Vectors:
    """The tables of the spaces."""

    def __init__(self, database: Database, spaces: Spaces) -> None:
        self._database = database
        self._spaces = spaces
        self._siblings: list[Sibling] = []
        self._codes: dict[int, Remembered[bytes]] = {}
        """Of dense vectors, by the number of their space."""
        self._token_rows: dict[int, Remembered[Row]] = {}

    def close(self) -> None:
        """Close the connections that large searches opened."""
        for sibling in self._siblings:
            sibling.close()
        self._siblings.clear()

    def create(self, spec: SpaceSpec) -> Space:
        """Make a space with its tables."""
        with self._database.transaction():
            space = self._spaces.insert(spec)
            if space.has_shortlist:
                self._dense(space).create()
                self._parked(space).create()
            if spec.role == "late":
                self._tokens(space).create()
        return space

    def drop(self, space: Space) -> None:
        """Drop a space with its tables."""
        with self._database.transaction():
            if space.has_shortlist:
                self._dense(space).drop()
                self._parked(space).drop()
            if space.spec.role == "late":
                self._tokens(space).drop()
            self._spaces.delete(space)

    def write(
        self,
        space: Space,
        digest: bytes,
        chunk_ids: Sequence[int],
        vectors: DenseVectors | TokenVectors,
    ) -> None:
        """Write the vectors that one window gave to its chunks."""
        with self._database.transaction():
            self._spaces.add_window(space, digest, chunk_ids)
            if isinstance(vectors, TokenVectors):
                self._tokens(space).insert(chunk_ids, vectors)
                if not space.has_shortlist:
                    return
                vectors = mean_vectors(vectors)
            dense = self._dense(space)
            dense.delete(dense.existing(chunk_ids))
            dense.insert(
                (int(chunk_id), codes.tobytes(), bits.tobytes())
                for chunk_id, codes, bits in zip(
                    chunk_ids, vectors.codes, vectors.bits, strict=True
                )
                # The cosine of an all-zero vector is NULL.
                if codes.any()
            )

    def copy(
        self,
        space: Space,
        digest: bytes,
        from_chunks: Sequence[int],
        to_chunks: Sequence[int],
    ) -> None:
        """Give chunks the vectors of others, hidden ones too."""
        pairs = list(zip(from_chunks, to_chunks, strict=True))
        with self._database.transaction():
            self._spaces.add_window(space, digest, to_chunks)
            if space.spec.role == "late":
                self._tokens(space).copy(pairs)
            if not space.has_shortlist:
                return
            dense, parked = self._dense(space), self._parked(space)
            rows = dense.select(from_chunks) + parked.select(from_chunks)
            vectors = {chunk_id: (codes, bits) for chunk_id, codes, bits in rows}
            dense.delete(dense.existing(to_chunks))
            dense.insert((to, *vectors[old]) for old, to in pairs if old in vectors)

    def dense_codes(self, space: Space, chunk_ids: Sequence[int]) -> NDArray[np.int8]:
        """Fetch codes (C, D) in the order asked; zeros where there is no vector."""
        found = self._codes.setdefault(
            space.space_id, Remembered(self._database, _CODES_KEPT)
        ).get(
            [int(each) for each in chunk_ids], lambda ids: self._dense(space).codes(ids)
        )
        none = bytes(space.spec.dim)
        packed = b"".join(none if codes is None else codes for codes in found)
        return np.frombuffer(packed, dtype=np.int8).reshape(-1, space.spec.dim)

    def token_vectors(self, space: Space, chunk_ids: Sequence[int]) -> TokenVectors:
        """Fetch token vectors in the order asked; none for a chunk without."""
        rows = self._token_rows.setdefault(
            space.space_id, Remembered(self._database, _TOKEN_ROWS_KEPT)
        )
        return self._tokens(space).select(chunk_ids, rows)

    def nearest(
        self,
        space: Space,
        query_bits: NDArray[np.uint8],
        k: int,
        within: Selection | None = None,
    ) -> Nearest:
        """Find the nearest visible chunks."""
        with self._database.snapshot():
            return nearest(self._dense(space), query_bits, k, within)

    def begin_nearest(
        self,
        space: Space,
        query_bits: NDArray[np.uint8],
        k: int,
        within: Selection | None = None,
    ) -> Callable[[], Nearest]:
        """Begin to find them beside what the caller does next; return what waits.

        A second connection would not see what an open transaction wrote, and a
        selection may ask the first one: these are found when they are waited for.
        """
        with self._database.snapshot():  # a table that is rebuilt gets another name
            n_rows = self._dense(space).allocated()
        if (
            within is not None
            or n_rows < _ROWS_TO_BEGIN
            or self._database.in_transaction
        ):
            return partial(self.nearest, space, query_bits, k, within)
        n_parts = 2 if n_rows >= _ROWS_FOR_TWO else 1

        def measure(number: int, reader: Database) -> Nearest:
            table = self._dense(space, reader)
            return nearest(table, query_bits, k, part=(number, n_parts))

        parts = [
            self._sibling(number).begin(partial(measure, number))
            for number in range(n_parts)
        ]
        return lambda: merged([wait() for wait in parts], k)

    def _sibling(self, number: int) -> Sibling:
        if number == len(self._siblings):
            self._siblings.append(Sibling(self._database))
        return self._siblings[number]

    # --- hidden documents, by their runs of chunk ids ---

    def hide(self, first_chunk: int, n_chunks: int) -> None:
        """Park the dense vectors of a run of chunks."""
        ids = range(first_chunk, first_chunk + n_chunks)
        for space in self._with_shortlist():
            dense = self._dense(space)
            rows = dense.select(ids)
            self._parked(space).insert(rows)
            dense.delete(row[0] for row in rows)

    def show(self, first_chunk: int, n_chunks: int) -> None:
        """Bring the parked vectors of a run of chunks back."""
        for space in self._with_shortlist():
            parked = self._parked(space)
            self._dense(space).insert(
                parked.select(range(first_chunk, first_chunk + n_chunks))
            )
            parked.delete(first_chunk, n_chunks)

    def purge(self, first_chunk: int, n_chunks: int) -> None:
        """Delete all that is kept of a run of hidden chunks."""
        for space in self._spaces.all():
            self._spaces.delete_windows(space, first_chunk, n_chunks)
            if space.has_shortlist:
                self._parked(space).delete(first_chunk, n_chunks)
            if space.spec.role == "late":
                self._tokens(space).delete(first_chunk, n_chunks)

    # --- upkeep ---

    def compact(self) -> None:
        """Rebuild the dense tables that are mostly holes."""
        for space in self._with_shortlist():
            dense = self._dense(space)
            allocated = dense.allocated() - BLOCK_ROWS  # the last one fills up yet
            if dense.count() < LIVE_SHARE * allocated:
                self._rebuild(space)

    def size_bytes(self) -> dict[str, int]:
        """Add up the room that the vectors take, by role."""
        sizes = {"dense": 0, "late": 0}
        for space in self._spaces.all():
            sizes[space.spec.role] += self.size_of(space)
        return sizes

    def size_of(self, space: Space) -> int:
        """Add up the room that the vectors of one space take, in bytes."""
        shortlist = self._dense(space).size_bytes() if space.has_shortlist else 0
        tokens = self._tokens(space).size_bytes() if space.spec.role == "late" else 0
        return shortlist + tokens

    def _rebuild(self, space: Space) -> None:
        with self._database.transaction():
            old = self._dense(space)
            # vec0 cannot rename a table: the epoch is part of the name.
            self._database.execute(
                "UPDATE spaces SET epoch = epoch + 1 WHERE space_id = ?",
                (space.space_id,),
            )
            new = self._dense(space)
            new.create()
            old.copy_into(new)
            old.drop()

    def _with_shortlist(self) -> list[Space]:
        return [space for space in self._spaces.all() if space.has_shortlist]

    def _dense(self, space: Space, database: Database | None = None) -> DenseTable:
        database = database or self._database
        epoch = database.value(
            "SELECT epoch FROM spaces WHERE space_id = ?", (space.space_id,)
        )
        name = f"dense_{space.space_id}_{epoch or 0}"
        dim, n_bits = space.spec.dim, space.spec.n_bits
        if space.spec.role == "late":  # its own bits are those of a token vector
            n_bits = MEAN_LEVELS * dim
        return DenseTable(database, name, dim, n_bits)

    def _parked(self, space: Space) -> ParkedTable:
        return ParkedTable(self._database, f"parked_{space.space_id}")

    def _tokens(self, space: Space) -> TokenTable:
        return TokenTable(self._database, f"tokens_{space.space_id}", space.spec)
