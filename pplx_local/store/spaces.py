"""Spaces: a role, a checkpoint and a fingerprint, with tables of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pplx_local.errors import FingerprintMismatch
from pplx_local.records import SpaceSpec
from pplx_local.store.connection import Database, Row, ids_array
from pplx_local.store.remembered import Counts

_COLUMNS = "space_id, role, checkpoint, rules, fingerprint, dim, n_bits, token_encoding"


@dataclass(frozen=True, slots=True)
class Space:
    """A space that exists in the database."""

    space_id: int
    spec: SpaceSpec

    @property
    def has_shortlist(self) -> bool:
        """Whether it has a vector per chunk: any but the late one of a dense model."""
        return self.spec.role == "dense" or "shortlist" in self.spec.rules


class Backlog(NamedTuple):
    """What still has to be encoded."""

    documents: int
    chars: int


class Spaces:
    """The spaces, and which documents are complete in them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts = Counts(database)

    def all(self) -> list[Space]:
        """List the spaces, the oldest first."""
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM spaces ORDER BY space_id")
        return [_space(row) for row in rows]

    def find(self, spec: SpaceSpec) -> Space | None:
        """Find the space of a fingerprint.

        Raises:
            FingerprintMismatch: One of the same role and checkpoint has another.
        """
        for space in self.all():
            if space.spec.fingerprint == spec.fingerprint:
                return space
            same = (space.spec.role, space.spec.checkpoint)
            if same == (spec.role, spec.checkpoint):
                raise _mismatch(space.spec, spec)
        return None

    def insert(self, spec: SpaceSpec) -> Space:
        """Record a new space."""
        space_id: int = self._database.value(
            "INSERT INTO spaces (role, checkpoint, rules, fingerprint, dim, n_bits,"
            " token_encoding) VALUES (?,?,?,?,?,?,?) RETURNING space_id",
            (
                spec.role,
                spec.checkpoint,
                json.dumps(dict(spec.rules)),
                spec.fingerprint,
                spec.dim,
                spec.n_bits,
                spec.token_encoding,
            ),
        )
        self._database.execute(
            f"CREATE TABLE windows_{space_id} (first_chunk INTEGER PRIMARY KEY,"
            " digest BLOB NOT NULL, chunk_ids BLOB NOT NULL) STRICT"
        )
        self._database.execute(
            f"CREATE INDEX windows_{space_id}_by_digest ON windows_{space_id} (digest)"
        )
        return Space(space_id, spec)

    def delete(self, space: Space) -> None:
        """Forget a space and its windows; its vectors are dropped by their tables."""
        self._database.execute(
            "DELETE FROM spaces WHERE space_id = ?", (space.space_id,)
        )
        self._database.execute(f"DROP TABLE windows_{space.space_id}")

    # --- windows ---

    def known_windows(
        self, space: Space, digests: Sequence[bytes]
    ) -> dict[bytes, tuple[int, ...]]:
        """Find the chunks whose vectors came from windows of these digests."""
        rows = self._database.rows_of_each(
            f"SELECT digest, chunk_ids FROM windows_{space.space_id}"
            " WHERE digest = ? LIMIT 1",
            ((digest,) for digest in dict.fromkeys(digests)),
        )
        return {digest: _unpack(packed) for digest, packed in rows}

    def add_window(self, space: Space, digest: bytes, chunk_ids: Sequence[int]) -> None:
        """Record a window, and forget those whose vectors it replaces."""
        if not chunk_ids:
            return
        table = f"windows_{space.space_id}"
        first, last = int(chunk_ids[0]), int(chunk_ids[-1])
        before = self._database.row(
            f"SELECT first_chunk, chunk_ids FROM {table} WHERE first_chunk < ?"
            " ORDER BY first_chunk DESC LIMIT 1",
            (first,),
        )
        overlaps = before is not None and _unpack(before[1])[-1] >= first
        self._database.execute(
            f"DELETE FROM {table} WHERE first_chunk BETWEEN ? AND ?",
            (before[0] if before is not None and overlaps else first, last),
        )
        packed = np.asarray(chunk_ids, dtype="<i8").tobytes()
        self._database.execute(
            f"INSERT INTO {table} VALUES (?, ?, ?)", (first, digest, packed)
        )

    def encoded_chunks(self, space: Space, first: int, n_chunks: int) -> set[int]:
        """Collect the chunks of a run of ids that went through the model."""
        rows = self._database.rows(
            f"SELECT chunk_ids FROM windows_{space.space_id}"
            " WHERE first_chunk BETWEEN ? AND ?",
            (first, first + n_chunks - 1),
        )
        return {chunk_id for (packed,) in rows for chunk_id in _unpack(packed)}

    def delete_windows(self, space: Space, first: int, n_chunks: int) -> None:
        """Forget the windows of a run of chunks."""
        self._database.execute(
            f"DELETE FROM windows_{space.space_id} WHERE first_chunk BETWEEN ? AND ?",
            (first, first + n_chunks - 1),
        )

    # --- completeness ---

    def finish_document(
        self, space: Space, document_id: int, n_without_tokens: int
    ) -> None:
        """Record that a document is complete in a space."""
        self._database.execute(
            "INSERT OR REPLACE INTO document_spaces VALUES (?, ?, ?)",
            (document_id, space.space_id, n_without_tokens),
        )

    def unencoded_documents(self, spaces: Sequence[Space], after: int) -> Iterator[int]:
        """Give the visible documents that some space lacks, the newest file first."""
        rows = self._database.rows(
            f"SELECT document_id FROM documents AS d WHERE {_LACKING}"
            " AND document_id > :after ORDER BY (SELECT max(mtime_ns) FROM files WHERE"
            " files.document_id = d.document_id) DESC, document_id DESC",
            {"after": after, **_lacking(spaces)},
        )
        for (document_id,) in rows:
            still = self._database.value(
                f"SELECT 1 FROM documents AS d WHERE document_id = :id AND {_LACKING}",
                {"id": document_id, **_lacking(spaces)},
            )
            if still:
                yield document_id

    def unencoded_lengths(self, spaces: Sequence[Space]) -> list[int]:
        """List the lengths of what `unencoded_documents` would give, in characters."""
        rows = self._database.rows(
            f"SELECT n_chars FROM documents AS d WHERE {_LACKING}", _lacking(spaces)
        )
        return [n_chars for (n_chars,) in rows]

    def count_unencoded(self, spaces: Sequence[Space]) -> Backlog:
        """Count what `unencoded_documents` would give."""
        if all(self.coverage(space) == 1 for space in spaces):
            return Backlog(0, 0)
        ids = frozenset(space.space_id for space in spaces)
        return self._counts.get(ids, lambda: self._backlog(spaces))

    def _backlog(self, spaces: Sequence[Space]) -> Backlog:
        row = self._database.row(
            "SELECT count(*), coalesce(sum(n_chars), 0) FROM documents AS d"
            f" WHERE {_LACKING}",
            _lacking(spaces),
        )
        return Backlog(*row) if row else Backlog(0, 0)

    def is_embedded(self, document_id: int | None, spaces: Sequence[Space]) -> bool:
        """Tell whether a document is complete in one of these spaces; None is not."""
        rows = self._database.rows(
            "SELECT space_id FROM document_spaces WHERE document_id = ?", (document_id,)
        )
        return not {row[0] for row in rows}.isdisjoint(one.space_id for one in spaces)

    def coverage(self, space: Space) -> float:
        """Divide the visible documents that are complete by all visible ones."""
        complete, visible = self._counts.get(
            space.space_id, lambda: self._count_complete(space)
        )
        return 1.0 if visible == 0 else complete / visible

    def complete_documents(self, space: Space) -> dict[int, range]:
        """Give the visible documents that are complete, and the chunks of each."""
        runs: dict[int, range] = self._counts.get(
            ("complete", space.space_id), lambda: self._list_complete(space)
        )
        return runs

    def _list_complete(self, space: Space) -> dict[int, range]:
        rows = self._database.rows(
            "SELECT document_id, first_chunk, n_chunks FROM document_spaces"
            " JOIN documents USING (document_id)"
            " WHERE space_id = ? AND hidden_ns IS NULL",
            (space.space_id,),
        )
        return {one: range(first, first + n_chunks) for one, first, n_chunks in rows}

    def _count_complete(self, space: Space) -> Row:
        """Count the visible documents: those that are complete, and all."""
        # Hidden ones are few and indexed: counted (CROSS JOIN: first) and subtracted.
        # So 100,000 documents take 10 ms; asking for each takes 70.
        row = self._database.row(
            "SELECT (SELECT count(*) FROM document_spaces WHERE space_id = :id)"
            " - (SELECT count(*) FROM documents CROSS JOIN document_spaces"
            " USING (document_id) WHERE hidden_ns IS NOT NULL AND space_id = :id),"
            " (SELECT count(*) FROM documents)"
            " - (SELECT count(*) FROM documents WHERE hidden_ns IS NOT NULL)",
            {"id": space.space_id},
        )
        return row or (0, 0)


_LACKING = (
    "d.hidden_ns IS NULL AND (SELECT count(*) FROM document_spaces AS s WHERE"
    " s.document_id = d.document_id AND s.space_id IN carray(:spaces)) < :n_spaces"
)


def _lacking(spaces: Iterable[Space]) -> dict[str, Any]:
    ids = {space.space_id for space in spaces}
    return {"spaces": ids_array(ids), "n_spaces": len(ids)}


def _unpack(chunk_ids: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(chunk_ids, dtype="<i8").tolist())


def _space(row: Row) -> Space:
    space_id, role, checkpoint, rules, fingerprint, *shape = row
    names = role, checkpoint, json.loads(rules), fingerprint
    values: Row = (*names, *shape)
    return Space(space_id, SpaceSpec(*values))


def _mismatch(old: SpaceSpec, new: SpaceSpec) -> FingerprintMismatch:
    differing = [
        f"{name} was {old.rules.get(name, 'absent')}, is now "
        f"{new.rules.get(name, 'absent')}"
        for name in sorted({*old.rules, *new.rules})
        if old.rules.get(name) != new.rules.get(name)
    ]
    return FingerprintMismatch(
        f"The {new.role} vectors in the index were made by another {new.checkpoint}: "
        f"{'; '.join(differing) or 'its shape differs'}."
    )
