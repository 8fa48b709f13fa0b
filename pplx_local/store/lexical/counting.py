"""In how many chunks, and in how many names of files, the words of queries are.

To count the chunks of a word takes 60 ns for each. In a large index those of a frequent one
are estimated, from chunks that were written at 32 different times: in a million chunks,
within 4 % for a word that 20,000 of them have, in a tenth of the time for one that most have.
"""

from __future__ import annotations

from typing import NamedTuple

from pplx_local.store.connection import Database
from pplx_local.store.lexical.naming import Names
from pplx_local.store.lexical.query import LexicalQuery, Term, match
from pplx_local.store.lexical.weighing import Counted

_REMEMBERED = 10_000
LARGE_CHUNKS = 200_000
"""An index of more has frequent words estimated."""
COUNTED_CHUNKS = 20_000
"""Those that are in as many, there."""
_SPANS = 32
_SPAN_CHUNKS = 1_000
_FEWEST_THERE = 0.5
"""Of the ids in these spans, at least: where most are gone, what is left lies together, and
few of the spans would speak for all of it."""


class _Sample(NamedTuple):
    """Chunks that stand for all."""

    spans: tuple[tuple[int, int], ...]
    """Of their ids."""
    n_chunks: int


class Counting:
    """Counts words, and remembers the counts until something is written."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database = database
        self._names = names
        self._version: tuple[int, ...] | None = None
        self._n_chunks = self._n_files = 0
        self._known: dict[Term, tuple[int, int]] = {}
        self._sample: _Sample | None = None
        """None until a frequent word is met."""

    def count(self, query: LexicalQuery) -> Counted:
        """Count the chunks and names that hold each term, and all; in a snapshot."""
        self._forget_old()
        counts = {term: self._frequencies(term) for term in query.terms}
        found = {term: n for term, (n, n_names) in counts.items() if n or n_names}
        named = {t: n / self._n_files for t, (_, n) in counts.items() if n}
        return Counted(found, self._n_chunks, named, self._n_files)

    def is_known(self, term: Term) -> bool:
        """Tell whether a chunk, or the name of a file, holds a term; in a snapshot."""
        self._forget_old()
        return any(self._frequencies(term))

    def _forget_old(self) -> None:
        version = self._database.version()
        if version != self._version or len(self._known) > _REMEMBERED:
            self._known.clear()
            self._sample = None
            self._version = version
            self._n_chunks = self._database.value(
                "SELECT count(*) FROM lexical_docsize"
            )
            self._n_files = self._names.count()

    def _frequencies(self, term: Term) -> tuple[int, int]:
        # Common words are the same in most queries, and slow to count.
        if term not in self._known:
            self._known[term] = self._frequency(term), self._names.frequency(term)
        return self._known[term]

    def _frequency(self, term: Term) -> int:
        if self._n_chunks <= LARGE_CHUNKS:
            return self._counted(term)
        found = self._estimated(match([term]))
        return self._counted(term) if found is None else found

    def _counted(self, term: Term) -> int:
        if len(term.tokens) == 1 and not term.longer:
            found = self._database.value(
                "SELECT doc FROM lexical_words WHERE term = ?", term.tokens
            )
        else:
            found = self._database.value(
                "SELECT count(*) FROM lexical WHERE lexical MATCH ?", (match([term]),)
            )
        return found or 0

    def _estimated(self, wanted: str) -> int | None:
        """Count the chunks of a rare word, and estimate those of a frequent one.

        Returns:
            How many they are; None where that cannot be estimated.
        """
        n_chunks: int = self._database.value(
            "SELECT count(*) FROM"
            " (SELECT 1 FROM lexical WHERE lexical MATCH ? LIMIT ?)",
            (wanted, COUNTED_CHUNKS),
        )
        if n_chunks < COUNTED_CHUNKS:
            return n_chunks
        self._sample = sample = self._sample or self._drawn()
        if sample.n_chunks < _FEWEST_THERE * _SPANS * _SPAN_CHUNKS:
            return None
        held = self._database.rows_of_each(
            "SELECT count(*) FROM lexical WHERE lexical MATCH ?"
            " AND rowid BETWEEN ? AND ?",
            ((wanted, *span) for span in sample.spans),
        )
        share = sum(n for (n,) in held) / sample.n_chunks
        return max(round(share * self._n_chunks), COUNTED_CHUNKS)

    def _drawn(self) -> _Sample:
        first, last = self._database.row(
            "SELECT min(id), max(id) FROM lexical_docsize"
        ) or (0, 0)
        step = (last + 1 - first - _SPAN_CHUNKS) // (_SPANS - 1)
        starts = (first + i * step for i in range(_SPANS))
        spans = tuple((start, start + _SPAN_CHUNKS - 1) for start in starts)
        there = self._database.rows_of_each(
            "SELECT count(*) FROM lexical_docsize WHERE id BETWEEN ? AND ?", spans
        )
        return _Sample(spans, sum(n for (n,) in there))
