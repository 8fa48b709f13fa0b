"""What is looked for in place of words that neither a chunk nor a file's name holds.

Their other spelling, ueber for über; else longer words that begin so: Haustür for Haus,
indexierbar for index. Words that are known stay as they are, and so does what is found.
The end of a compound is not found by itself: FTS5 lists words by their beginnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pplx_local.store.connection import Database
from pplx_local.store.lexical.beside import respelled
from pplx_local.store.lexical.query import LexicalQuery, Term, folded_words, tokens_of

_LETTERS = 3
"""Fewer begin too many words."""
_LONGER = 10
"""Words that one stands for, the most frequent ones. With 20, which take longer to rank, nDCG@10
of the leg is the same on XQuAD, Cranfield, SciFact and COVID-QA."""
_ENDINGS = ("", "e", "es", "ed", "ing", "y")
"""Stems such as "expens" would lose another letter if they were asked for."""


def adapted(
    query: LexicalQuery, database: Database, is_known: Callable[[Term], bool]
) -> LexicalQuery:
    """Give a query whose unknown words ask for what is known, where there is any."""
    terms = [
        term if is_known(term) else _adapted(term, database, is_known)
        for term in query.terms
    ]
    return replace(query, terms=tuple(dict.fromkeys(terms)))


def _adapted(term: Term, database: Database, is_known: Callable[[Term], bool]) -> Term:
    for _, _, word in respelled(term.text):
        other = Term(word, tokens_of(word))
        if is_known(other):
            return other
    words = folded_words(term.text)
    if len(words) != 1 or len(words[0]) < _LETTERS or not words[0].isalpha():
        return term
    return term._replace(longer=tuple(_beginning_with(words[0], database)))


def _beginning_with(start: str, database: Database) -> Iterator[str]:
    """List what finds the tokens of the index that begin so."""
    rows = database.rows(
        "SELECT term, sum(doc) FROM (SELECT term, doc FROM lexical_words"
        " WHERE term >= :start AND term < :end UNION ALL SELECT term, doc"
        " FROM names_words WHERE term >= :start AND term < :end)"
        " GROUP BY term ORDER BY sum(doc) DESC, term LIMIT :n",
        {"start": start, "end": start + "\U0010ffff", "n": _LONGER},
    )
    return filter(None, (_with_stem(token) for token, _ in rows))


def _with_stem(token: str) -> str | None:
    words = (token + ending for ending in _ENDINGS)
    return next((word for word in words if tokens_of(word) == (token,)), None)
