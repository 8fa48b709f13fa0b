"""The legs: what each of them finds, and what it thinks of any chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pplx_local.backend.packed import largest
from pplx_local.records import DenseVectors, Scores, TokenVectors
from pplx_local.search.asked import Picked
from pplx_local.search.exhaustive import Exhaustive
from pplx_local.store import LexicalQuery, Matches, Selection, Space, Store, Term

Ids = NDArray[np.int64]
Values = NDArray[np.float32]
MaxSim = Callable[[TokenVectors, TokenVectors], Callable[[], Scores]]
"""Begins to score chunks; returns what waits for it."""

SHORTLIST = 300
"""Chunks that the bits hand to the int8 codes, at the least. At 384 dimensions of three
thresholds, 137 hold the int8 top 10 for 99 % of queries."""
_SPARE = 2
"""Times as many as are wanted, where more are."""

_MORE = 4
"""Times as many chunks are asked for where a selection holds too few of them."""


@dataclass(frozen=True)
class LexicalLeg:
    """Keywords, by BM25."""

    store: Store
    query: LexicalQuery
    picked: Picked | None = None

    @property
    def shares(self) -> Mapping[Term, float]:
        """Of all chunks, those that hold each of the query's terms."""
        return self.store.lexical_shares(self.query)

    @property
    def known_share(self) -> float:
        """How much of the query, by weight, the index knows at all: 0 to 1."""
        return self.store.lexical_known_share(self.query)

    def candidates(self, k: int, within: Selection | None = None) -> Ids:
        """Return chunks, of a selection if given, among which the k best are."""
        if self.picked and self.picked.k == k:
            return self.picked.ids
        return self.store.lexical_candidates(self.query, k, within)

    def best(self, candidates: Ids, k: int, others: Ids) -> tuple[Ids, Values]:
        """Return the k best candidates and their BM25 scores.

        `others` are chunks that will have to be scored too.
        """
        return self.store.lexical(self.query, k, candidates, others)

    def score(self, chunk_ids: Ids) -> Matches:
        """Score given chunks, word by word."""
        return self.store.lexical_matches(self.query, chunk_ids)


@dataclass(frozen=True)
class DenseLeg:
    """One vector per chunk: bits make the shortlist, int8 cosine ranks it."""

    store: Store
    space: Space
    query: DenseVectors
    """Of one chunk, the query."""

    def begin(self, k: int, within: Selection | None = None) -> Callable[[], Ids]:
        """Begin to make the shortlist for the k best; return what waits for it."""
        n, few = max(SHORTLIST, _SPARE * k), None if within is None else within.ids
        if few is not None and len(few) <= n:
            return lambda: few
        nearest = self.store.begin_nearest(self.space, self.query.bits[0], n, within)
        return lambda: nearest()[0]

    def best(self, shortlist: Ids, k: int) -> tuple[Ids, Values]:
        """Return the k best chunks of a shortlist and their cosines."""
        cosines = self.score(shortlist)
        best = np.lexsort((shortlist, -cosines))[:k]
        return shortlist[best], cosines[best]

    @cached_property
    def _known(self) -> dict[int, float]:
        """Cosines by chunk: what was found is scored again with all else."""
        return {}

    def score(self, chunk_ids: Ids) -> Values:
        """Cosine of the int8 codes; nan for a chunk without a vector."""
        known = self._known
        unknown = np.array([i for i in chunk_ids.tolist() if i not in known], np.int64)
        known.update(
            zip(unknown.tolist(), self._cosines(unknown).tolist(), strict=True)
        )
        return np.array([known[i] for i in chunk_ids.tolist()], dtype=np.float32)

    def codes(self, chunk_ids: Ids) -> NDArray[np.int8]:
        """Fetch the vectors (C, D) of chunks; zeros for one without."""
        return self.store.dense_codes(self.space, chunk_ids.tolist())

    def _cosines(self, chunk_ids: Ids) -> Values:
        codes = self.codes(chunk_ids).astype(np.float32)
        query = self.query.codes[0].astype(np.float32)  # (D,)
        norms = np.linalg.norm(codes, axis=1) * np.linalg.norm(query)
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines: Values = (codes @ query / norms).astype(np.float32)
        return cosines


@dataclass(frozen=True)
class LateLeg:
    """Token vectors: MaxSim over chunks that the other legs and the null sample name.

    Where all chunks are kept by the encoder, it names some itself, and none but those
    that changed a moment ago are fetched to be scored.
    """

    store: Store
    space: Space
    query: TokenVectors
    maxsim: MaxSim
    exhaustive: Exhaustive | None = None

    def best(self, k: int, within: Selection | None = None) -> Ids | None:
        """Return the k best of all chunks, of a selection if given.

        None where they are not kept, or not all yet.
        """
        n = k
        while self.exhaustive:
            found = self.exhaustive.best(self.store, self.query, n)
            if found is None:
                return None
            if within is None:
                return found.chunks
            if within.ids is not None:  # few of all: the best of all hold hardly any
                return self._best_of(within.ids, k)
            held = found.chunks[within.holds(found.chunks)]
            if len(held) >= k or len(found.chunks) < n:
                return held[:k]
            n *= _MORE
        return None

    def _best_of(self, chunk_ids: Ids, k: int) -> Ids:
        return chunk_ids[largest(self.score(chunk_ids), k).chunks]

    def score(self, chunk_ids: Ids) -> Values:
        """Sum of the best similarities; -inf for a chunk without token vectors."""
        if not self.exhaustive:
            return self._fetched_and_scored(chunk_ids)
        values = self.exhaustive.scores(self.query, chunk_ids)
        others = np.isnan(values)
        if others.any():
            values[others] = self._fetched_and_scored(chunk_ids[others])
        return values

    def begin(self, chunk_ids: Ids) -> None:
        """Have chunks scored that will be asked for, beside what is done until then."""
        if not self.exhaustive:
            self._begin(chunk_ids)

    def _begin(self, chunk_ids: Ids) -> None:
        begun = [ids for ids, _ in self._begun]
        others = np.setdiff1d(chunk_ids, np.concatenate([*begun, chunk_ids[:0]]))
        if len(others):
            docs = self.store.token_vectors(self.space, others.tolist())
            self._begun.append((others, self.maxsim(self.query, docs)))

    @cached_property
    def _begun(self) -> list[tuple[Ids, Callable[[], Scores]]]:
        return []

    def _fetched_and_scored(self, chunk_ids: Ids) -> Values:
        self._begin(chunk_ids)
        known: dict[int, float] = {}
        for ids, wait in self._begun:
            known.update(zip(ids.tolist(), wait().values.tolist(), strict=True))
        return np.array([known[i] for i in chunk_ids.tolist()], dtype=np.float32)
