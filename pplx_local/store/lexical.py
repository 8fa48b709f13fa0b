"""Keyword search: what becomes of text before FTS5 sees it, and BM25.

FTS5 cuts at everything that is no letter, digit or mark. What that would miss is
added here: scripts without spaces get spaces, compounds such as getUserName or O'Brien
are cut where they stay in place and joined at the end of the text. Queries go the same
way, and a query word that comes apart becomes a phrase.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from pplx_local.store.connection import Database, ids_json

K1 = 1.2
"""Of FTS5's bm25(), fixed there; its b is 0.75."""
MAX_TERMS = 64
MAX_QUERY_CHARS = 10_000
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

# Scripts written without spaces, where each letter with its marks is a token.
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u17b4-\u17d3"
)
_UNSPACED = re.compile(f"[{_LETTERS}]++")
_CLUSTERS = re.compile(f"[{_LETTERS}][{_MARKS}]*+")
# Vowel points that are mostly left out in writing, and the Arabic elongation.
_POINTS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u0640\u064b-\u065f\u0670]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FOLD = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "\u2019": "'"}
)

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_VERSION = re.compile(r"\d++(?:\.\d++)+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
# Possessive and anchored at word starts, so that no text takes quadratic time.
_COMPOUND = re.compile(
    r"\b(?=[A-Za-z0-9]{0,64}?(?:[a-z][A-Z]|[A-Z]{2}[a-z]{2}))\w++"  # camelCase
    r"|\b_*+[^\W_]++(?:_++[^\W_]++)++"  # snake_case
    r"|(?<![\w'-])[^\W_]++['-][^\W_]++(?![\w'-])"  # O'Brien, e-mail
)
_PARTS = re.compile(r"[^\W_]++")
_PLAIN = re.compile(r"[(\['\"]?(?:[A-Z]?[a-z]++|[A-Z]++|\d++)[.,;:)\]\"?!]*+")
_POSSESSIVE = re.compile(r"'s$")
_BREAKS = re.compile(
    '[\\s\x00-\x1f,;:!?()\\[\\]{}<>"|=+*&#$%^~`\xa1\xab\xbb\xbf\u2010-\u2015'
    "\u201c-\u201f\u2026\u3000-\u3004\u3008-\u301f\uff01-\uff0f]+"
)
_PAIR = re.compile(r"\w+/\w+")
_CONTRACTIONS = frozenset({"s", "t", "re", "ve", "ll", "d", "m"})
_MAX_COMPOUND = 64
_REMEMBERED_CHARS = 1_000_000


class Term(NamedTuple):
    """A word of a query, or a word that came apart into several: a phrase."""

    text: str
    """As it is handed to FTS5, between quotes."""
    tokens: tuple[str, ...]
    """What FTS5 makes of it."""


Counts = dict[Term, int]
"""In how many chunks each term is."""


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """An analysed query; terms that differ, in the order of the text."""

    terms: tuple[Term, ...]


def analyze_query(text: str) -> LexicalQuery:
    """Cut a query into terms. Any text will do: there is no syntax in it."""
    found: dict[tuple[str, ...], Term] = {}
    text = _THOUSANDS.sub("", _normalize(text[:MAX_QUERY_CHARS]))
    for word in _BREAKS.sub(" ", text).split():
        for candidate in _query_words(word):
            tokens = _tokens(candidate)
            if tokens:
                found.setdefault(tokens, Term(candidate, tokens))
        if len(found) >= MAX_TERMS:
            break
    return LexicalQuery(tuple(found.values())[:MAX_TERMS])


class _Words(dict[str, str]):
    """Remembers what becomes of words: few words make up most of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.joined: dict[str, str] = {}
        self.n_chars = 0

    def __missing__(self, word: str) -> str:
        text, joined = (word, []) if _PLAIN.fullmatch(word) else _analyze_word(word)
        self.n_chars += len(word)
        self[word] = text
        if joined:
            self.joined[word] = " ".join(joined)
        return text

    def trim(self) -> None:
        """Forget everything when it has become too much."""
        if self.n_chars > _REMEMBERED_CHARS:
            self.clear()
            self.joined.clear()
            self.n_chars = 0


_words = _Words()


def analyze_text(text: str) -> str:
    """Prepare a chunk's text for FTS5: (text cut up) and then (compounds joined)."""
    _words.trim()
    words = text.split()
    cut = " ".join([_words[word] for word in words])
    if _words.joined.keys().isdisjoint(words):
        return cut
    joined = [_words.joined[word] for word in words if word in _words.joined]
    return f"{cut} {' '.join(joined)}"


def _analyze_word(word: str) -> tuple[str, list[str]]:
    text, joined = _cut_compounds(_THOUSANDS.sub("", _spaced(_normalize(word))))
    return _VERSION.sub(r" \g<0> ", text), joined


def _spaced(text: str) -> str:
    """Put spaces around each letter of the scripts that have none."""
    if text.isascii():
        return text
    return _UNSPACED.sub(
        lambda run: f" {' '.join(_CLUSTERS.findall(run.group()))} ", text
    )


def _normalize(text: str) -> str:
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _SURROGATE.sub(" ", text))
    return _POINTS.sub("", text.translate(_FOLD))


def _cut_compounds(text: str) -> tuple[str, list[str]]:
    """Cut camelCase where it stands, and join the parts of every compound.

    Joined are the whole and each two neighbours, so that getUserName is found by
    "username". They are kept apart from the text, where they would break phrases.
    """
    joined: list[str] = []

    def cut(match: re.Match[str]) -> str:
        whole = match.group()
        if len(whole) > _MAX_COMPOUND:
            return whole
        humps = _HUMP.sub(" ", whole)
        parts = _PARTS.findall(humps)
        if len(parts) < 2 or ("_" not in whole and parts[-1] in _CONTRACTIONS):
            return humps
        if len(parts) > 2:
            joined.append("".join(parts))
        joined.extend(map("".join, itertools.pairwise(parts)))
        return humps

    return _COMPOUND.sub(cut, text), joined


def _query_words(word: str) -> Iterator[str]:
    """Give what a word of a query is looked up as."""
    if _PAIR.fullmatch(word):
        word = word.replace("/", " ")
        yield from itertools.chain.from_iterable(map(_query_words, word.split()))
        return
    others = _UNSPACED.sub(" ", _POSSESSIVE.sub("", word))
    phrase, joined = _cut_compounds(others.strip("'.-/"))
    yield from joined[:1]
    yield _VERSION.sub(r" \g<0> ", phrase)
    for run in _UNSPACED.findall(word):
        letters = _CLUSTERS.findall(run)
        # Bigrams, as a run may be a whole sentence.
        for first in range(max(len(letters) - 1, 1)):
            yield " ".join(letters[first : first + 2])


@functools.cache
def _tokenizer() -> apsw.FTS5Tokenizer:
    return apsw.Connection(":memory:").fts5_tokenizer(
        "porter",
        ["unicode61", "remove_diacritics", "2", "categories", "L* N* Co Mn Mc"],
    )


def _tokens(text: str) -> tuple[str, ...]:
    found: Any = _tokenizer()(
        text.encode("utf-8"),
        apsw.FTS5_TOKENIZE_DOCUMENT,
        None,
        include_offsets=False,
        include_colocated=False,
    )
    return tuple(filter(None, found))


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
        self, query: LexicalQuery, k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the best chunks by BM25, ties by chunk id."""
        with self._database.snapshot():
            frequencies, n_chunks = self._frequencies(query)
            picking = _picking(frequencies, n_chunks)
            # Where no word has any weight, ranking a million rows says nothing.
            empty = min(frequencies.values(), default=0) > max(
                n_chunks / 2, MANY_CHUNKS
            )
            order = "" if empty else "ORDER BY rank"
            rows = self._database.rows(
                f"SELECT rowid FROM lexical WHERE lexical MATCH ? {order} LIMIT ?",
                (_match(picking), max(_MIN_CANDIDATES, 2 * k)),
            )
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            scores = self.scores(query, ids)
        best = np.lexsort((ids, -scores))[:k]
        return ids[best], scores[best]

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


__all__ = ["LexicalQuery", "Lexicon", "Term", "analyze_query", "analyze_text"]
