"""In how many chunks the words of queries are."""

from __future__ import annotations

from collections.abc import Iterable

from pplx_local.store.connection import Database
from pplx_local.store.lexical.query import LexicalQuery, Term
from pplx_local.store.lexical.weighing import Counted

_REMEMBERED = 10_000


class Counting:
    """Counts words, and remembers the counts until something is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: tuple[int, int] | None = None
        self._n_chunks = 0
        self._known: dict[Term, int] = {}

    def count(self, query: LexicalQuery) -> Counted:
        """Count the chunks that hold each term, and all; inside a snapshot."""
        self._forget_old()
        counts = {term: self._frequency(term) for term in query.terms}
        found = {term: n for term, n in counts.items() if n}
        return Counted(found, self._n_chunks)

    def _forget_old(self) -> None:
        version = self._database.version()
        if version != self._version or len(self._known) > _REMEMBERED:
            self._known.clear()
            self._version = version
            self._n_chunks = self._database.value(
                "SELECT count(*) FROM lexical_docsize"
            )

    def _frequency(self, term: Term) -> int:
        # Common words are the same in most queries, and slow to count.
        if term not in self._known:
            self._known[term] = self._counted(term)
        return self._known[term]

    def _counted(self, term: Term) -> int:
        if len(term.tokens) == 1:
            found = self._database.value(
                "SELECT doc FROM lexical_words WHERE term = ?", term.tokens
            )
        else:
            found = self._database.value(
                "SELECT count(*) FROM lexical WHERE lexical MATCH ?", (match([term]),)
            )
        return found or 0


def match(terms: Iterable[Term]) -> str:
    """Write the expression that finds any of these terms."""
    return " OR ".join(f'"{term.text}"' for term in terms) or '""'
