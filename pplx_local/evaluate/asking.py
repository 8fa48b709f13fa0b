"""Queries asked of one index, and what becomes of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pplx_local.evaluate.closeness import SHOWN, Closeness, best_of
from pplx_local.evaluate.collection import Collection, Units
from pplx_local.evaluate.judging import Judging
from pplx_local.evaluate.metrics import Figures, judge, relevant
from pplx_local.evaluate.options import Options
from pplx_local.evaluate.reading import READ_TOKENS, share_read
from pplx_local.index import Index
from pplx_local.search import Ranking, best_first
from pplx_local.store import ChunkRef, Space, Store

DEPTH = 300
"""Chunks that each leg brings, so that 100 documents of a few chunks are among them."""


class Asking:
    """Asks, judges, and keeps the figures."""

    def __init__(
        self,
        index: Index,
        collection: Collection,
        units: Units,
        options: Options,
        variants: Mapping[str, Space] | None = None,
    ) -> None:
        """Bind an index that holds the collection.

        Args:
            index: Open.
            collection: Whose queries are asked.
            units: Which judgments count.
            options: What is measured.
            variants: Other late spaces of the same tokens, by name, to compare.
        """
        self._store, self._searcher = index.store, index.searcher()
        self._collection, self._units, self._options = collection, units, options
        self._judging = Judging(collection, units, index.store)
        self._every = _all_chunks(index.store) if options.exhaustive else None
        self._variants = {
            name: self._searcher.with_late(space)
            for name, space in (variants or {}).items()
        }
        self.queries = self._judging.queries()
        """Grades by query."""
        self.figures, self.closeness = Figures(), Closeness()
        self.ms: list[float] = []
        self.top_10_found: dict[str, list[float]] = {}
        """By leg, how much of its best ten the shortlist of each query holds: 0 to 1."""

    def ask(self, query: str) -> None:
        """Ask one of `queries`."""
        text = self._collection.queries[query]
        started = time.perf_counter()
        ranking = self._searcher.rank(text, k=DEPTH)
        self.ms.append((time.perf_counter() - started) * 1000)
        refs = self._judge(query, ranking)
        self._trust(query, ranking, refs)
        for name, searcher in self._variants.items():
            self._judge(query, searcher.rank(text, among=ranking.ids), f" {name}")
        if self._every is not None:
            shortlist = self._searcher.rank(text, k=SHOWN)
            self._judge(query, shortlist, " shortlist")
            whole = self._searcher.rank(text, among=self._every)
            self._judge(query, whole, " exhaustive")
            self._compare(shortlist, whole)

    def ask_foreign(self, file: str, text: str) -> None:
        """Ask what nothing here answers, from a file of such queries."""
        ranking = self._searcher.rank(text)
        scores = ranking.scores("hybrid", self._searcher.weights)
        nothing = [False] * len(ranking.ids)
        best = best_of(ranking, scores, nothing)
        self.closeness.foreign.setdefault(file, []).append(best)

    def _compare(self, shortlist: Ranking, whole: Ranking) -> None:
        """Note which of a leg's best ten among all chunks a search would see."""
        for leg in ("dense", "late"):
            if leg in whole.raw:
                best = best_first(whole.ids, whole.raw[leg])[:10]
                found = np.isin(whole.ids[best], shortlist.ids)
                self.top_10_found.setdefault(leg, []).append(float(found.mean()))

    def _judge(self, query: str, ranking: Ranking, suffix: str = "") -> list[ChunkRef]:
        refs = self._store.chunk_refs([int(chunk_id) for chunk_id in ranking.ids])
        targets = [self._judging.target(ref) for ref in refs]
        for name, scores in self._score_sets(ranking):
            order = best_first(ranking.ids, scores)
            ranked = list(dict.fromkeys(targets[index] for index in order))
            self.figures.note(name + suffix, judge(ranked, self.queries[query]))
            if self._units == "own" and self._collection.passages:
                found = [refs[index] for index in order[:DEPTH]]
                self.figures.note(name + suffix, self._reading(found, query))
        return refs

    def _score_sets(
        self, ranking: Ranking
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        weights = self._searcher.weights
        for mode in self._options.modes():
            if mode == "hybrid" or mode in ranking.raw:
                yield mode, ranking.scores(mode, weights)
        for leg in ranking.raw if self._options.ablate and len(ranking.raw) > 1 else ():
            rest = {other: weights[other] for other in weights if other != leg}
            yield f"hybrid without {leg}", ranking.scores("hybrid", rest)

    def _reading(self, refs: Sequence[ChunkRef], query: str) -> dict[str, float]:
        wanted = relevant(self._collection.passage_qrels.get(query, {}))
        share = share_read(self._store, self._collection, self._judging, refs, wanted)
        return {f"passages_in_{READ_TOKENS}_tokens": share}

    def _trust(self, query: str, ranking: Ranking, refs: Sequence[ChunkRef]) -> None:
        """Note the confidence in the best hit, with and without what is relevant."""
        weights = self._searcher.weights
        right = self._judging.right(refs, query, self.queries[query])
        scores = ranking.scores("hybrid", weights)
        self.closeness.own.append(best_of(ranking, scores, right))
        if self._options.answer_removed:
            rest = ranking.without(np.array(right))
            scores, nothing = rest.scores("hybrid", weights), [False] * len(rest.ids)
            self.closeness.removed.append(best_of(rest, scores, nothing))


def _all_chunks(store: Store) -> NDArray[np.int64]:
    """List every chunk that has a vector in any space."""
    documents = {file.document_id for file in store.files(state="indexed")}
    return np.unique(
        [
            chunk_id
            for space in store.spaces()
            for document_id in documents
            if document_id is not None
            for chunk_id in store.encoded_chunks(space, document_id)
        ]
    ).astype(np.int64)
