"""The FTS5 table of chunks, and BM25 over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pplx_local.store.connection import Database, Row, ids_array
from pplx_local.store.lexical.analysis import analyze_text
from pplx_local.store.lexical.counting import Counting
from pplx_local.store.lexical.matches import Matches
from pplx_local.store.lexical.naming import Names
from pplx_local.store.lexical.query import LexicalQuery, Term, match, owners, rarest
from pplx_local.store.lexical.unknown import adapted
from pplx_local.store.lexical.weighing import FEW_CHUNKS, Counted, Weighing
from pplx_local.store.selection import Selection

PICKING = 0.1
"""Terms pick candidates, the rarest first, until they are in this share of the chunks
together; the others are only scored on the candidates."""
RANKED_CHUNKS = 4_000
"""Nor do they pick more together than this, beside the rarest: ranking rows is what takes
time. Beside 80,000 unrelated passages 2,000 to 20,000 give the same nDCG@10 (Cranfield
0.504 to 0.506, SQuAD 0.845 to 0.846); 2,000 would cost 0.01 of Cranfield's recall@100.

Where even the rarest word stands in more, these are ranked, of those that were written last:
such a word says next to nothing of which is best. Filters, which may want the others, have
them all ranked."""
RANKED_FOR_FEW = 2_000
"""The same for a few dozen hits."""
SCANNED_CHUNKS = 20_000
"""Where the words stand in more rows than this, in all, a query for rare words reads only the
rows that hold one of those that pick candidates: among 82,000 passages in 0.6 of the time, and
nDCG@10 of the fusion is the same (Cranfield 0.561, SQuAD 0.925 and 0.926)."""
SCANNED_FOR_FEW = 5_000
"""The same for a few dozen hits: what is ranked holds one of those words anyway."""

_SKIPPED_ROWS = 150
"""Rows with the words that are read in the time that a phrase takes to be looked up anew."""
_MERGED_PAGES = 500
_WIDENED = 100
"""Queries that are remembered as such."""
_MIN_CANDIDATES = 120
"""FTS5's own ranking is near enough: of the first ten of a thousand, twice as many as are
wanted, and at least these, hold 98.6 %. With 250 to 400 for a hundred, nDCG@10 and recall@100
of the leg are the same on SciFact, Cranfield, SQuAD and COVID-QA. It takes a passage for long
beside the average here, as we do not: among 92,000 short texts 600 in place of 200 still give
the same nDCG@10 (SciFact 0.700, SQuAD 0.885)."""


class Lexicon:
    """The FTS5 table, one row per visible chunk, and the names of files beside it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names = Names(database)
        self._counting = Counting(database, self._names)
        self._weighing = Weighing()
        self._matched: tuple[object, dict[int, bytes]] = (None, {})
        """The last query with the chunks it was compared with, as `Weighing` packs them."""
        self._widened: set[LexicalQuery] = set()
        """Those last asked with a filter that leaves too few chunks of their rarer words."""
        database.add_fts5_function("weighed", lambda row: self._weighing(row))

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
        self._names.optimize()

    def merge(self) -> None:
        """Merge some parts of the index, if there are many: fewer make it quicker."""
        self._database.execute(
            f"INSERT INTO lexical (lexical, rank) VALUES ('merge', {_MERGED_PAGES})"
        )

    def adapted(self, query: LexicalQuery) -> LexicalQuery:
        """Let words that nothing holds stand for others; asked before all else."""
        with self._database.snapshot():
            return adapted(query, self._database, self._counting.is_known)

    def candidates(
        self, query: LexicalQuery, k: int, within: Selection | None = None
    ) -> NDArray[np.int64]:
        """Find the chunks among which the k best are; of a selection, if given."""
        if within is not None and within.ids is not None:
            return within.ids
        n = max(_MIN_CANDIDATES, 2 * k)
        with self._database.snapshot():
            counted = self._counting.count(query)
            terms = _picking(counted, _n_ranked(query))
            self._widened.discard(query)  # another filter than the last time
            if within is None:
                first = self._first_ranked(counted, terms, _n_ranked(query))
                return self._candidates(counted, terms, n, first)
            found = self._held(counted, terms, n, within)
            telling = list(_telling(counted))
            if len(found) == n or len(telling) == len(terms):
                return found
            self._widen(query)
            return self._held(counted, telling, n, within)

    def best(
        self,
        query: LexicalQuery,
        k: int,
        candidates: NDArray[np.int64] | None = None,
        others: Sequence[int] | NDArray[np.int64] = (),
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Choose the best chunks by BM25, ties by chunk id.

        Args:
            query: Its words.
            k: How many.
            candidates: What `candidates` gives, which is asked here for None.
            others: Chunks that will be scored too: in one pass over what has the words
                they cost next to nothing.
        """
        if candidates is None:
            candidates = self.candidates(query, k)
        scores = self.scores(query, [*candidates, *others])[: len(candidates)]
        best = np.lexsort((candidates, -scores))[:k]
        best = best[scores[best] > 0]
        return candidates[best], scores[best]

    def _candidates(
        self, counted: Counted, terms: Sequence[Term], limit: int, first: int = 0
    ) -> NDArray[np.int64]:
        """List the first chunks of files with such names, then the best by some terms."""
        rows = self._database.rows(
            "SELECT rowid FROM lexical WHERE lexical MATCH ? AND rowid >= ?"
            " ORDER BY rank LIMIT ?",
            (match(terms), first, limit),
        )
        named = self._names.first_chunks(counted.named, counted.n_files)
        ids = dict.fromkeys([*named, *(row[0] for row in rows)])
        return np.array(list(ids), dtype=np.int64)

    def _first_ranked(
        self, counted: Counted, terms: Sequence[Term], n_ranked: int
    ) -> int:
        """Find the first of the rows to rank, of those that were written last."""
        # At most so many rows hold one of them: mostly, none has to be looked for.
        if sum(map(counted.__getitem__, terms)) <= n_ranked:
            return 0
        found: int | None = self._database.value(
            "SELECT rowid FROM lexical WHERE lexical MATCH ?"
            " ORDER BY rowid DESC LIMIT 1 OFFSET ?",
            (match(terms), n_ranked - 1),
        )
        return found or 0

    def _widen(self, query: LexicalQuery) -> None:
        """Read all words of a query: its rarer ones may stand outside of a filter alone."""
        if len(self._widened) >= _WIDENED:
            self._widened.clear()
        self._widened.add(query)

    def _held(
        self, counted: Counted, terms: Sequence[Term], n: int, within: Selection
    ) -> NDArray[np.int64]:
        """List n of a selection by some terms, or all, asking for more until they are."""
        limit = n
        while True:
            limit = int(limit / max(within.share, 0.1)) + n
            ids = self._candidates(counted, terms, limit)
            held = ids[within.holds(ids)]
            if len(held) >= n or len(ids) < limit:
                return held[:n]

    def scores(
        self, query: LexicalQuery, chunk_ids: Sequence[int] | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score chunks by all terms that have any weight; 0 where none is found."""
        return self.matches(query, chunk_ids).scores

    def matches(
        self, query: LexicalQuery, chunk_ids: Sequence[int] | NDArray[np.int64]
    ) -> Matches:
        """Tell what each term that has any weight gives to chunks."""
        ids = [int(chunk_id) for chunk_id in chunk_ids]
        with self._database.snapshot():
            counted = self._counting.count(query)
            weighing = Weighing.of(query, counted)
            known = self._known(query)
            unknown = [chunk_id for chunk_id in ids if chunk_id not in known]
            if unknown:
                found = self._weighed(query, counted, weighing, unknown)
                known.update(dict.fromkeys(unknown, weighing.nothing) | dict(found))
        return weighing.unpacked([known[chunk_id] for chunk_id in ids])

    def _known(self, query: LexicalQuery) -> dict[int, bytes]:
        key = (query, query in self._widened, self._database.version())
        if self._matched[0] != key:
            self._matched = (key, {})
        return self._matched[1]

    def _weighed(
        self,
        query: LexicalQuery,
        counted: Counted,
        weighing: Weighing,
        chunk_ids: Sequence[int],
    ) -> list[Row]:
        if any(weighing.name_weights):
            weighing.named = self._names.held_by(chunk_ids, weighing.terms)
        picking = [] if query in self._widened else _picking(counted, _n_ranked(query))
        wanted, n_rows = _read(query, weighing, picking, counted)
        self._weighing = weighing
        n_skipped = _SKIPPED_ROWS * (weighing.n_before + len(weighing.owners))
        runs = _runs(chunk_ids, n_rows, n_skipped, counted.n_chunks)
        # The plus keeps SQLite from opening the full-text index once for each id.
        rows = self._database.rows_of_each(
            "SELECT rowid, weighed(lexical) FROM lexical WHERE lexical MATCH ?"
            " AND rowid BETWEEN ? AND ? AND +rowid IN carray(?)",
            ((wanted, int(run[0]), int(run[-1]), ids_array(run)) for run in runs),
        )
        by_name = [
            (chunk_id, weighing.by_name(chunk_id)) for chunk_id in weighing.named
        ]
        return [*by_name, *rows]

    def shares(self, query: LexicalQuery) -> dict[Term, float]:
        """Tell which share of the chunks holds each term that any of them holds."""
        with self._database.snapshot():
            counted = self._counting.count(query)
        held = ((term, n) for term, n in counted.items() if n and not term.longer)
        return {term: n / counted.n_chunks for term, n in held}

    def known_share(self, query: LexicalQuery) -> float:
        """Divide the weight of the terms that some chunk holds by that of all."""
        with self._database.snapshot():
            counted = self._counting.count(query)
        known = sum(map(counted.weight, counted))
        wanted = (term._replace(longer=()) for term in query.terms)
        return known / sum(map(counted.weight, wanted)) if known else 0.0

    def size_bytes(self) -> int:
        """Add up the room that the index takes."""
        size: int = self._database.value(
            "SELECT coalesce(sum(length(block)), 0) FROM lexical_data"
        )
        return size


def _n_ranked(query: LexicalQuery) -> int:
    return RANKED_FOR_FEW if query.for_few else RANKED_CHUNKS


def _read(
    query: LexicalQuery, weighing: Weighing, picking: Sequence[Term], counted: Counted
) -> tuple[str, int]:
    """Write the expression for rows to be weighed; say how many it finds at the most."""
    terms, wanted = weighing.terms, match(weighing.terms)
    n_scanned = SCANNED_FOR_FEW if query.for_few else SCANNED_CHUNKS
    is_long = sum(counted.values()) > n_scanned
    if query.rare_only and is_long and 0 < len(picking) < len(terms):
        weighing.n_before = len(owners(picking))
        terms, wanted = picking, f"({match(picking)}) AND ({wanted})"
    return wanted, sum(map(counted.__getitem__, terms))


def _picking(counted: Counted, n_ranked: int) -> list[Term]:
    """Choose the terms that pick candidates: the rarest, one at the least."""
    limit = min(PICKING * counted.n_chunks, n_ranked)
    return rarest(_telling(counted), max(limit, FEW_CHUNKS))


def _telling(counted: Counted) -> dict[Term, int]:
    """Give the terms that some chunks have and others do not, and how many have them."""
    return {term: counted[term] for term in counted.useful() if counted[term]}


def _runs(
    chunk_ids: Sequence[int], n_rows: int, n_skipped: int, n_chunks: int
) -> list[NDArray[np.int64]]:
    """Cut ids, in any order, where more lie between them than to begin anew is worth.

    Args:
        chunk_ids: Of rows to score.
        n_rows: That hold the words, of all.
        n_skipped: Of these in the time that it takes to begin anew.
        n_chunks: That there are.
    """
    ids = np.unique(np.asarray(chunk_ids, np.int64))
    cuts = np.flatnonzero(np.diff(ids) > n_skipped * n_chunks / max(n_rows, 1)) + 1
    # Ids have gaps, of what was deleted: so many runs cannot all skip what they cost.
    return [ids] if len(cuts) * n_skipped > n_rows else np.split(ids, cuts)
