"""The FTS5 table of chunks, and BM25 over it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pplx_local.store.connection import Database, ids_json
from pplx_local.store.lexical.analysis import analyze_text
from pplx_local.store.lexical.query import LexicalQuery, Term
from pplx_local.store.selection import Selection

K1 = 1.2
"""Of FTS5's bm25(), fixed there; its b is 0.75."""
PICKING = 0.1
"""Terms pick candidates, the rarest first, until they are in this share of the chunks
together; the others are only scored on the candidates."""
USELESS = 1 / 3
"""A term in a larger share of the chunks is not scored: it weighs little (nothing from
a half on), and costs most. Measured, nDCG@10: SciFact 0.6854 -> 0.6851, Cranfield
the same; 100,000 chunks: a third less time."""
FEW_CHUNKS = 2_000
"""Terms in fewer chunks than this (together, for picking) are never left out."""
MANY_CHUNKS = 20_000
"""Terms in more chunks than this together pick no candidates beside a rarer one."""

_MIN_IDF = 1e-6
_MERGED_PAGES = 500
_MIN_CANDIDATES = 400

Counts = dict[Term, int]
"""In how many chunks each term is."""


class Lexicon:
    """The FTS5 table: one row per visible chunk."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: tuple[object, Counts, int] | None = None

    def insert(self, texts: Iterable[tuple[int, str]]) -> None:
        """Index chunks: (chunk id, text)."""
        self._database.many(
            "INSERT INTO lexical (rowid, body) VALUES (?, ?)",
            ((chunk_id, analyze_text(text)) for chunk_id, text in texts),
        )

    def delete(self, first_chunk: int, n_chunks: int) -> None:
        """Take a run of chunks out."""
        self._database.execute(
            "DELETE FROM lexical WHERE rowid BETWEEN ? AND ?",
            (first_chunk, first_chunk + n_chunks - 1),
        )

    def optimize(self) -> None:
        """Rewrite the index without the words that only deleted chunks had."""
        self._database.execute("INSERT INTO lexical (lexical) VALUES ('optimize')")

    def merge(self) -> None:
        """Merge some parts of the index, if there are many: fewer make it quicker."""
        self._database.execute(
            f"INSERT INTO lexical (lexical, rank) VALUES ('merge', {_MERGED_PAGES})"
        )

    def best(
        self, query: LexicalQuery, k: int, within: Selection | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the best chunks by BM25, ties by chunk id; of a selection, if given."""
        with self._database.snapshot():
            if within is None:
                ids = self._candidates(query, max(_MIN_CANDIDATES, 2 * k))
            elif within.ids is not None:
                ids = within.ids
            else:
                ids = self._held_candidates(query, max(_MIN_CANDIDATES, 2 * k), within)
            scores = self.scores(query, ids)
        best = np.lexsort((ids, -scores))[:k]
        best = best[scores[best] > 0]
        return ids[best], scores[best]

    def _candidates(self, query: LexicalQuery, limit: int) -> NDArray[np.int64]:
        """List chunks with the rarer words, the best by these words alone."""
        frequencies, n_chunks = self._frequencies(query)
        picking = _picking(frequencies, n_chunks)
        # Where no word has any weight, ranking a million rows says nothing.
        empty = min(frequencies.values(), default=0) > max(n_chunks / 2, MANY_CHUNKS)
        order = "" if empty else "ORDER BY rank"
        rows = self._database.rows(
            f"SELECT rowid FROM lexical WHERE lexical MATCH ? {order} LIMIT ?",
            (_match(picking), limit),
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _held_candidates(
        self, query: LexicalQuery, n: int, within: Selection
    ) -> NDArray[np.int64]:
        """List n candidates of a selection, or all, asking for more until they are."""
        limit = n
        while True:
            limit = int(limit / max(within.share, 0.1)) + n
            ids = self._candidates(query, limit)
            held = ids[within.holds(ids)]
            if len(held) >= n or len(ids) < limit:
                return held[:n]

    def scores(
        self, query: LexicalQuery, chunk_ids: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score chunks by all terms that have any weight; 0 where none is found."""
        with self._database.snapshot():
            frequencies, n_chunks = self._frequencies(query)
            useful = _useful(frequencies, n_chunks)
            # The plus keeps SQLite from opening the full-text index once for each id.
            rows = self._database.rows(
                "SELECT rowid, -bm25(lexical) FROM lexical WHERE lexical MATCH ?"
                " AND +rowid IN (SELECT value FROM json_each(?))",
                (_match(useful), ids_json(chunk_ids)),
            )
        found: dict[int, float] = dict(rows)
        return np.array([found.get(int(i), 0) for i in chunk_ids], dtype=np.float32)

    def bound(self, query: LexicalQuery) -> float:
        """Add up the most that each term can give: idf * (k1 + 1)."""
        with self._database.snapshot():
            frequencies, n_chunks = self._frequencies(query)
        weights = [_idf(n, n_chunks) for n in _useful(frequencies, n_chunks).values()]
        return sum(weights) * (K1 + 1)

    def shares(self, query: LexicalQuery) -> dict[Term, float]:
        """Tell which share of the chunks holds each term that any of them holds."""
        with self._database.snapshot():
            frequencies, n_chunks = self._frequencies(query)
        return {term: n / n_chunks for term, n in frequencies.items()}

    def known_share(self, query: LexicalQuery) -> float:
        """Divide the weight of the terms that some chunk holds by that of all."""
        with self._database.snapshot():
            frequencies, n_chunks = self._frequencies(query)
        known = sum(_idf(n, n_chunks) for n in frequencies.values())
        absent = (len(query.terms) - len(frequencies)) * _idf(0, n_chunks)
        return known / (known + absent) if known else 0.0

    def size_bytes(self) -> int:
        """Add up the room that the index takes."""
        size: int = self._database.value(
            "SELECT coalesce(sum(length(block)), 0) FROM lexical_data"
        )
        return size

    def _frequencies(self, query: LexicalQuery) -> tuple[Counts, int]:
        """Count the chunks that hold each term (absent ones left out), and all.

        The last answer is kept, as a search asks up to three times.
        """
        key = (query, self._database.version())
        if self._counted is None or self._counted[0] != key:
            self._counted = (key, *self._count(query))
        return self._counted[1:]

    def _count(self, query: LexicalQuery) -> tuple[Counts, int]:
        n_chunks: int = self._database.value("SELECT count(*) FROM lexical_docsize")
        counts = {term: self._frequency(term) for term in query.terms}
        return {term: n for term, n in counts.items() if n}, n_chunks

    def _frequency(self, term: Term) -> int:
        if len(term.tokens) == 1:
            found = self._database.value(
                "SELECT doc FROM lexical_words WHERE term = ?", term.tokens
            )
        else:
            found = self._database.value(
                "SELECT count(*) FROM lexical WHERE lexical MATCH ?", (_match([term]),)
            )
        return found or 0


def _idf(n_with_term: int, n_chunks: int) -> float:
    """Weigh a term exactly as FTS5's bm25() does."""
    idf = math.log((n_chunks - n_with_term + 0.5) / (n_with_term + 0.5))
    return idf if idf > 0 else _MIN_IDF


def _useful(frequencies: Counts, n_chunks: int) -> Counts:
    """Leave out terms without weight, unless there are no others."""
    limit = max(USELESS * n_chunks, FEW_CHUNKS)
    return {t: n for t, n in frequencies.items() if n <= limit} or frequencies


def _picking(frequencies: Counts, n_chunks: int) -> list[Term]:
    """Choose the terms that pick candidates: the rarest, one at the least."""
    useful = _useful(frequencies, n_chunks)
    terms = sorted(useful, key=useful.__getitem__)
    limit = max(min(PICKING * n_chunks, MANY_CHUNKS), FEW_CHUNKS)
    together = itertools.accumulate(useful[term] for term in terms)
    n_terms = sum(total <= limit for total in together)
    return terms[: max(n_terms, 1)]


def _match(terms: Iterable[Term]) -> str:
    return " OR ".join(f'"{term.text}"' for term in terms) or '""'
