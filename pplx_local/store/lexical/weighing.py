"""What the words of a query weigh, and BM25 of one chunk by these weights.

Beside plain BM25 (k1 1.2, b 0.75), words of grammar count half, words that follow each
other in the query and in the text count a little more, and no idf is negative. Measured,
nDCG@10 of the keyword leg: SciFact 0.685 -> 0.694, Cranfield 0.503 -> 0.514, SQuAD 0.870
-> 0.879, COVID-QA 0.636 -> 0.668, XQuAD in Chinese the same (0.964), in 12 languages the
same (0.934). Smaller k1 and b win on COVID-QA what they lose on Cranfield.

A passage is long or short beside a usual one, not beside the average here: among 92,000
short texts of other things papers would lose 0.05 of nDCG@10 (the leg on SciFact 0.648,
with the constant 0.681; SQuAD 0.831 and 0.875), and without them nothing is lost.

A word that nothing holds counts half where longer words begin with it: XQuAD in 12
languages 0.934 -> 0.938; elsewhere hardly a query has such a word.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from struct import Struct

import apsw
import numpy as np

from pplx_local.grammar import is_grammar
from pplx_local.store.lexical.matches import Matches, idf
from pplx_local.store.lexical.query import LexicalQuery, Term, owners

K1 = 1.2
B = 0.75
USUAL_LENGTH = 160
"""Tokens; a full chunk of ours has a few more."""
SHORT = 80
"""Tokens; a passage of fewer counts as one of these: a line that holds a word says no more
of it than a paragraph does (COVID-QA 0.683 -> 0.687, no other set loses 0.001)."""
USELESS = 1 / 3
"""A term in a larger share of the chunks is not scored: it weighs little, and costs
most."""
FEW_CHUNKS = 2_000
"""Terms in fewer chunks than this (together, for picking) are never left out."""

_GRAMMAR = 0.5
_LONGER = 0.5
"""Of a word that only longer words hold."""
_NEIGHBOURS = 0.3
_NAMED = 0.65
"""Of what the same word could give in the text."""


class Counted(dict[Term, int]):
    """In how many chunks each term of a query is; terms found nowhere are left out."""

    def __init__(
        self,
        counts: Mapping[Term, int],
        n_chunks: int,
        named: Mapping[Term, float],
        n_files: int,
    ) -> None:
        """Note the counts.

        Args:
            counts: 0 for a term that only names of files have.
            n_chunks: That there are.
            named: Of the files, those that have a term in their names.
            n_files: That there are.
        """
        super().__init__(counts)
        self.n_chunks, self.named, self.n_files = n_chunks, named, n_files

    def weight(self, term: Term) -> float:
        """Give the idf of a term, half of it for grammar and for a part of words."""
        return self._weight(term, self.get(term, 0))

    def name_weight(self, term: Term) -> float:
        """Give what it weighs in a name: less where many files are called so."""
        if term not in self.named:
            return 0.0
        n_named = self.named[term] * self.n_chunks
        return _NAMED * self._weight(term, max(self[term], n_named))

    def useful(self) -> list[Term]:
        """Leave out terms that nearly every chunk has, unless there are no others."""
        limit = max(USELESS * self.n_chunks, FEW_CHUNKS)
        return [term for term, n in self.items() if n <= limit] or list(self)

    def _weight(self, term: Term, n: float) -> float:
        weight = idf(n, self.n_chunks)
        if term.longer:
            return weight * _LONGER
        return weight * _GRAMMAR if is_grammar(term.text) else weight


@dataclass
class Weighing:
    """Weighs chunks by a query; FTS5 calls it for each row that it has found."""

    terms: Sequence[Term] = ()
    """As they follow each other in the expression that FTS5 was given."""
    owners: Sequence[int] = ()
    """For each phrase of that expression, the number of its term."""
    weights: Sequence[float] = ()
    """Of each in a text; 0 where none holds it."""
    name_weights: Sequence[float] = ()
    """Of each in the name of a file."""
    neighbours: Sequence[tuple[int, int, float]] = ()
    """Numbers of two terms, and the weight of their standing side by side."""
    named: Mapping[int, Set[int]] = field(default_factory=dict)
    """For each chunk, the numbers of the terms that its file's names have."""
    idfs: Sequence[float] = ()
    """Of each term among all chunks."""
    n_before: int = 0
    """Phrases of the expression that come before those of the terms."""

    @classmethod
    def of(cls, query: LexicalQuery, counted: Counted) -> Weighing:
        """Weigh the terms of a query that are of use."""
        terms = counted.useful()
        weights = [counted.weight(term) if counted[term] else 0.0 for term in terms]
        names = [counted.name_weight(term) for term in terms]
        neighbours = list(_neighbours(query, terms, weights))
        idfs = [idf(counted[term], counted.n_chunks) for term in terms]
        return cls(terms, owners(terms), weights, names, neighbours, idfs=idfs)

    @property
    def most(self) -> list[float]:
        """Give the most that a chunk can get for each term, then for each pair."""
        words = map(max, self.weights, self.name_weights)
        pairs = (weight for _, _, weight in self.neighbours)
        return [(K1 + 1) * weight for weight in (*words, *pairs)]

    def __call__(self, row: apsw.FTS5ExtensionApi) -> bytes:
        """Compute what one row gets for each term, then for each pair, packed."""
        length = max(row.column_size(0), SHORT)
        norm = K1 * (1 - B + B * length / USUAL_LENGTH)
        places = self._places(row)
        found = [
            weight * _saturated(len(where), norm) if where else 0.0
            for weight, where in zip(self.weights, places, strict=True)
        ]
        if self.named:
            self._name(found, self.named.get(row.rowid, ()))
        for one, other, weight in self.neighbours:
            n_pairs = 0
            if places[one] and places[other]:
                n_pairs = len(_behind(places[one]).intersection(places[other]))
            found.append(weight * _saturated(n_pairs, norm))
        return self._row.pack(*found)

    def _places(self, row: apsw.FTS5ExtensionApi) -> Sequence[Sequence[int]]:
        """List where each term stands in a row."""
        first, last = self.n_before, self.n_before + len(self.owners)
        places = [row.phrase_column_offsets(i, 0) for i in range(first, last)]
        if len(places) == len(self.terms):
            return places
        together: list[list[int]] = [[] for _ in self.terms]
        for owner, some in zip(self.owners, places, strict=True):
            together[owner].extend(some)
        return together

    def by_name(self, chunk_id: int) -> bytes:
        """Give the same for a chunk that has none of the words in its text."""
        found = [0.0] * (len(self.terms) + len(self.neighbours))
        self._name(found, self.named.get(chunk_id, ()))
        return self._row.pack(*found)

    def _name(self, found: list[float], named: Iterable[int]) -> None:
        """Let a word count where it counts more, in the text or in the name."""
        for i in named:
            found[i] = max(found[i], self.name_weights[i] * (K1 + 1))

    @property
    def nothing(self) -> bytes:
        """The row of a chunk that has none of the words."""
        return bytes(self._row.size)

    def unpacked(self, rows: Sequence[bytes]) -> Matches:
        """Put rows together."""
        shape = len(rows), len(self.terms) + len(self.neighbours)
        return Matches(
            parts=np.frombuffer(b"".join(rows), np.float32).reshape(shape),
            most=np.array(self.most, np.float32),
            weights=np.array(self.weights, np.float32),
            idfs=np.array(self.idfs, np.float32),
            pairs=[pair[:2] for pair in self.neighbours],
        )

    @cached_property
    def _row(self) -> Struct:
        return Struct(f"{len(self.terms) + len(self.neighbours)}f")


def _neighbours(
    query: LexicalQuery, terms: Sequence[Term], weights: Sequence[float]
) -> Iterator[tuple[int, int, float]]:
    """Pair words that follow each other; phrases say themselves what stands together."""
    numbers = {term: i for i, term in enumerate(terms) if len(term.tokens) == 1}
    for pair in itertools.pairwise(query.terms):
        if numbers.keys() >= set(pair):
            one, other = (numbers[term] for term in pair)
            yield one, other, _NEIGHBOURS * min(weights[one], weights[other])


def _behind(places: Sequence[int]) -> set[int]:
    return {place + 1 for place in places}


def _saturated(n: int, norm: float) -> float:
    return n * (K1 + 1) / (n + norm)
