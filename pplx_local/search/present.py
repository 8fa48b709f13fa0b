"""From candidates to what a person sees: passages with their files and places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice, repeat
from typing import NamedTuple

import numpy as np

from pplx_local.encoding import EncodedQuery
from pplx_local.records import Hit, Leg, Match
from pplx_local.search.explain import matches
from pplx_local.search.legs import Values
from pplx_local.search.ranking import Ranking, best_first
from pplx_local.search.spaces import SearchSpace
from pplx_local.store import ChunkRef, Store


class _Found(NamedTuple):
    """A candidate whose file is still there."""

    candidate: int
    """Into the ranking."""
    ref: ChunkRef
    path: bytes


class Presenter:
    """Makes the hits of one query."""

    def __init__(
        self,
        store: Store,
        ranking: Ranking,
        scores: Values,
        *,
        late: SearchSpace | None,
        query: EncodedQuery | None,
    ) -> None:
        """Bind a ranking (N candidates) and the scores (N,) that order it.

        Args:
            store: Where the texts are.
            ranking: The candidates.
            scores: Of the mode; -inf for what it does not find.
            late: For explanations; None without a late leg.
            query: As the late space's checkpoint encoded it.
        """
        self._store, self._ranking, self._scores = store, ranking, scores
        self._late, self._query = late, query

    def hits(
        self, k: int, is_gone: Callable[[bytes], bool], *, explain: bool
    ) -> Iterator[Hit]:
        """Yield at most k hits, the best first."""
        found = list(islice(self._living(is_gone), k))
        texts = [self._store.text(r.document_id, r.char_span) for _, r, _ in found]
        matched = self._matches([one.ref for one in found], texts) if explain else None
        for one, text, own in zip(found, texts, matched or repeat(()), strict=False):
            yield self._hit(one, text, own)

    def _living(self, is_gone: Callable[[bytes], bool]) -> Iterator[_Found]:
        """Candidates with a file, best first; ties break by path, then ordinal."""
        ids, scores = self._ranking.ids, self._scores
        order = best_first(ids, scores)
        for _, tied in groupby(order, key=lambda index: float(scores[index])):
            group = list(tied)
            refs = self._store.chunk_refs([int(ids[index]) for index in group])
            found = [
                _Found(index, ref, self._first_living(ref.document_id, is_gone))
                for index, ref in zip(group, refs, strict=True)
            ]
            alive = [one for one in found if one.path]
            yield from sorted(alive, key=lambda one: (one.path, one.ref.ordinal))

    def _first_living(
        self, document_id: int, is_gone: Callable[[bytes], bool]
    ) -> bytes:
        """Return the first path that still leads to the document, else b""."""
        paths = self._store.paths_of(document_id)
        return next((path for path in paths if not is_gone(path)), b"")

    def _hit(self, found: _Found, text: str, matched: tuple[Match, ...]) -> Hit:
        ref = found.ref
        blank = len(text) - len(text.lstrip())
        start = ref.char_span.start + (blank if blank < len(text) else 0)
        scores = self._leg_scores(found.candidate)
        return Hit(
            path=found.path,
            score=round(float(self._scores[found.candidate]), 4),
            confidence=round(float(self._ranking.confidence[found.candidate]), 4),
            char_span=ref.char_span,
            line=self._store.line_of(ref.document_id, start),
            place=self._store.place_of(ref.document_id, start),
            text=text,
            scores=scores,
            matches=matched,
        )

    def _leg_scores(self, index: int) -> dict[Leg, float]:
        return {
            leg: round(float(values[index]), 4)
            for leg, values in self._ranking.raw.items()
            if np.isfinite(values[index])
        }

    def _matches(
        self, refs: Sequence[ChunkRef], texts: Sequence[str]
    ) -> list[tuple[Match, ...]] | None:
        """Explain passages together: each call of the encoder costs a switch there."""
        query = self._query
        if self._late is None or query is None or query.tokens is None:
            return None
        rows = [
            self._store.token_vectors(self._late.space, [ref.chunk_id]) for ref in refs
        ]
        spans = self._late.encoder.token_spans(texts)
        return [
            matches(query.tokens, query.words, *passage)
            for passage in zip(rows, spans, texts, strict=True)
        ]
