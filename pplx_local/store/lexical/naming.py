"""Names of files, which the text need not repeat: a small FTS5 table, one row a file.

A name is no part of a chunk's row, so that renaming a file costs one row here. It counts
for all chunks of the file, and by itself brings the first of them. A file without chunks,
skipped or without text, has none to bring: no search finds it by its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import apsw

from pplx_local.store.connection import Database, ids_array
from pplx_local.store.lexical.analysis import analyze_text
from pplx_local.store.lexical.query import Term, match, owners, rarest

_FILES = 100
"""Files that a query brings by their names alone, at most."""
_COMMON = 0.1
"""Words in a larger share of the names, such as "pdf", bring none by themselves."""
_FEW_FILES = 200
_RANKED_FILES = 2_000
"""Nor are more ranked together than this, beside those of the rarest word: of 90,000 files
"perl" is in the names of 7,000, which took 25 ms."""


def name_words(path: bytes) -> str:
    """Prepare the name of a file for FTS5."""
    return analyze_text(path[path.rfind(b"/") + 1 :].decode("utf-8", "replace"))


class Names:
    """Finds files by their names, and the chunks that belong to them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owners: Sequence[int] = ()
        database.add_fts5_function("held", self._held)

    def count(self) -> int:
        """Count the files that have a name here."""
        n_files: int = self._database.value("SELECT count(*) FROM names_docsize")
        return n_files

    def frequency(self, term: Term) -> int:
        """Count the files that have a term in their names."""
        if len(term.tokens) == 1 and not term.longer:
            found = self._database.value(
                "SELECT doc FROM names_words WHERE term = ?", term.tokens
            )
        else:
            found = self._database.value(
                "SELECT count(*) FROM names WHERE names MATCH ?", (match([term]),)
            )
        return found or 0

    def first_chunks(self, shares: Mapping[Term, float], n_files: int) -> list[int]:
        """List the first chunks of the files whose names fit best.

        Args:
            shares: Of the files, those that have a term in their names.
            n_files: That have names.
        """
        terms = _telling(shares, n_files)
        if not terms:
            return []
        rows = self._database.rows(
            "SELECT DISTINCT first_chunk FROM (SELECT rowid AS file_id FROM names"
            " WHERE names MATCH ? ORDER BY rank LIMIT ?)"
            " CROSS JOIN files USING (file_id) CROSS JOIN documents USING (document_id)"
            " WHERE hidden_ns IS NULL AND n_chunks > 0",
            (match(terms), _FILES),
        )
        return [row[0] for row in rows]

    def held_by(
        self, chunk_ids: Sequence[int], terms: Sequence[Term]
    ) -> dict[int, set[int]]:
        """Find, for each chunk, the numbers of the terms that its file's names have."""
        rows = self._database.rows(
            "SELECT chunk_id, file_id FROM carray(?)"
            " CROSS JOIN chunks ON chunk_id = value"
            " CROSS JOIN files USING (document_id)",
            (ids_array(chunk_ids),),
        )
        self._owners = owners(terms)
        held: dict[int, str] = dict(
            self._database.rows(
                "SELECT rowid, held(names) FROM names WHERE names MATCH ?"
                " AND +rowid IN carray(?)",
                (match(terms), ids_array({file_id for _, file_id in rows})),
            )
        )
        found: defaultdict[int, set[int]] = defaultdict(set)
        for chunk_id, file_id in rows:
            if file_id in held:
                found[chunk_id].update(map(int, held[file_id].split()))
        return dict(found)

    def optimize(self) -> None:
        """Rewrite the table without the words that only forgotten files had."""
        self._database.execute("INSERT INTO names (names) VALUES ('optimize')")

    def _held(self, row: apsw.FTS5ExtensionApi) -> str:
        held = (
            i for phrase, i in enumerate(self._owners) if row.phrase_columns(phrase)
        )
        return " ".join(map(str, held))


def _telling(shares: Mapping[Term, float], n_files: int) -> list[Term]:
    """Choose the terms whose files are ranked: the rarest, one if any says something."""
    rare = max(_COMMON, _FEW_FILES / max(n_files, 1))
    held = {t: share * n_files for t, share in shares.items() if 0 < share <= rare}
    return rarest(held, _RANKED_FILES)
