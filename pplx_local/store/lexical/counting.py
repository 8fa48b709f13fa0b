"""In how many chunks, and in how many names of files, the words of queries are."""

from __future__ import annotations

from pplx_local.store.connection import Database
from pplx_local.store.lexical.naming import Names
from pplx_local.store.lexical.query import LexicalQuery, Term, match
from pplx_local.store.lexical.weighing import Counted

_REMEMBERED = 10_000


class Counting:
    """Counts words, and remembers the counts until something is written."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database = database
        self._names = names
        self._version: tuple[int, ...] | None = None
        self._n_chunks = self._n_files = 0
        self._known: dict[Term, tuple[int, int]] = {}

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
        if len(term.tokens) == 1 and not term.longer:
            found = self._database.value(
                "SELECT doc FROM lexical_words WHERE term = ?", term.tokens
            )
        else:
            found = self._database.value(
                "SELECT count(*) FROM lexical WHERE lexical MATCH ?", (match([term]),)
            )
        return found or 0
