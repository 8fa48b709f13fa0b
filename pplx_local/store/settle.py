"""Documents that no file needs: hidden at once, shown again, gone after a purge."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from pplx_local.store.connection import Database
from pplx_local.store.documents import Documents
from pplx_local.store.lexical import Lexicon
from pplx_local.store.names import GRAM_TABLES
from pplx_local.store.vectors import Vectors

_USED = "EXISTS (SELECT 1 FROM files WHERE files.document_id = documents.document_id)"

_AT_ONCE = 200


class Run(NamedTuple):
    """A document and the run of its chunk ids."""

    document_id: int
    first_chunk: int
    n_chunks: int


class Settling:
    """Keeps what is visible equal to what the files need."""

    def __init__(
        self,
        database: Database,
        documents: Documents,
        lexicon: Lexicon,
        vectors: Vectors,
    ) -> None:
        self._database = database
        self._documents = documents
        self._lexicon = lexicon
        self._vectors = vectors

    def settle(self, now_ns: int) -> tuple[int, int]:
        """Hide what no file needs, show what one needs again; count both."""
        with self._database.transaction():
            unused = self._runs(f"hidden_ns IS NULL AND NOT {_USED}")
            for run in unused:
                self._hide(run, now_ns)
            needed = self._runs(f"hidden_ns IS NOT NULL AND {_USED}")
            for run in needed:
                self._show(run)
        return len(unused), len(needed)

    def purge(self, before_ns: int | None) -> int:
        """Delete hidden documents; with None all of them, and their traces on disk."""
        condition = "hidden_ns IS NOT NULL"
        if before_ns is not None:
            condition += f" AND hidden_ns < {int(before_ns)}"
        runs = self._runs(f"{condition} AND NOT {_USED}")
        self._delete_all(runs)
        if before_ns is None:
            self._erase()
        return len(runs)

    def purge_first_hidden(self, n_kept: int) -> int:
        """Delete the documents hidden first, down to so many chunks; count them."""
        runs = self._runs(f"hidden_ns IS NOT NULL AND NOT {_USED}", "hidden_ns DESC")
        n_chunks = itertools.accumulate(run.n_chunks for run in runs)
        surplus = [run for run, n in zip(runs, n_chunks, strict=True) if n > n_kept]
        self._delete_all(surplus)
        return len(surplus)

    def tidy(self) -> None:
        """Merge, compact and write back what has come apart."""
        with self._database.transaction():
            self._lexicon.merge()
            self._vectors.compact()
        self._database.rows("PRAGMA optimize")
        self._database.checkpoint()

    def _hide(self, run: Run, now_ns: int) -> None:
        self._lexicon.delete(run.first_chunk, run.n_chunks)
        self._vectors.hide(run.first_chunk, run.n_chunks)
        self._set_hidden(run, now_ns)

    def _show(self, run: Run) -> None:
        self._lexicon.insert(
            (chunk_id, text)
            for chunk_id, _, text in self._documents.chunk_texts(run.document_id, 0)
        )
        self._vectors.show(run.first_chunk, run.n_chunks)
        self._set_hidden(run, None)

    def _delete_all(self, runs: Sequence[Run]) -> None:
        """Delete documents, some in each transaction: readers and memory are spared."""
        for start in range(0, len(runs), _AT_ONCE):
            with self._database.transaction():
                for run in runs[start : start + _AT_ONCE]:
                    self._delete(run)

    def _delete(self, run: Run) -> None:
        self._vectors.purge(run.first_chunk, run.n_chunks)
        self._database.execute(
            "DELETE FROM chunks WHERE chunk_id BETWEEN ? AND ?",
            (run.first_chunk, run.first_chunk + run.n_chunks - 1),
        )
        self._database.execute(
            "DELETE FROM documents WHERE document_id = ?", (run.document_id,)
        )

    def _erase(self) -> None:
        with self._database.transaction():
            # Contentless FTS5 keeps the words of deleted rows until then.
            self._lexicon.optimize()
            for table in GRAM_TABLES:
                self._database.execute(
                    f"INSERT INTO {table} ({table}) VALUES ('optimize')"
                )
            self._vectors.compact()
        self._vectors.close()
        self._database.execute("VACUUM")
        self._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def _set_hidden(self, run: Run, now_ns: int | None) -> None:
        self._database.execute(
            "UPDATE documents SET hidden_ns = ? WHERE document_id = ?",
            (now_ns, run.document_id),
        )

    def _runs(self, condition: str, order: str = "document_id") -> list[Run]:
        rows = self._database.rows(
            "SELECT document_id, first_chunk, n_chunks FROM documents"
            f" WHERE {condition} ORDER BY {order}"
        )
        return [Run(*row) for row in rows]
