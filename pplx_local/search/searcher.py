"""One query through the legs, and the hits that a person sees."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from pplx_local.encoding import EncodedQuery
from pplx_local.errors import PplxLocalError
from pplx_local.models import ConfidenceCurve, Fusion
from pplx_local.records import Answer, Hit, Leg, Mode, Role
from pplx_local.search.ask import Question, ask
from pplx_local.search.asked import Asked
from pplx_local.search.clock import Clock
from pplx_local.search.confidence import confidences, evidence_of, nothing_close
from pplx_local.search.legs import Ids, Values
from pplx_local.search.likeness import like
from pplx_local.search.listing import about, all_of, is_empty, listing
from pplx_local.search.panel import Panel
from pplx_local.search.present import Presenter
from pplx_local.search.query import parse_query
from pplx_local.search.ranking import Ranking
from pplx_local.search.reports import reasons, reports
from pplx_local.search.spaces import SearchSpace
from pplx_local.search.steps import Steps, finished
from pplx_local.search.trust import trust
from pplx_local.store import LexicalQuery, Selection, Space, Store

CANDIDATES = 100
"""Chunks that each leg brings to the union, at least. With 150, all but one hit in 2,000 of
Cranfield's among 92,000 passages are the same, for 7 % more time."""

_SPARE = 3
"""Times as many as hits are wanted, where no leg and no folding asks for more: files of
some may be gone."""
_REFILL = 12
"""Times as many candidates are looked at where folding leaves too few hits."""


class Wanted(NamedTuple):
    """What hits a person wants; see `Searcher.search`."""

    k: int
    mode: Mode
    explain: bool
    folded: bool


class Searcher:
    """Ranks the chunks of a store for queries."""

    def __init__(
        self,
        store: Store,
        spaces: Mapping[Role, SearchSpace],
        *,
        fusion: Fusion,
        curves: Sequence[ConfidenceCurve] = (),
        missing: Mapping[Role, str] | None = None,
        is_gone: Callable[[bytes], bool] = lambda path: False,
    ) -> None:
        """Bind a store to the spaces that can be searched.

        Args:
            store: Read only.
            spaces: By role; a role may be absent.
            fusion: How the legs are added up.
            curves: For the confidence; none for none.
            missing: Why a role is absent, shown to the person.
            is_gone: Whether a file has been deleted since it was indexed.
        """
        self._store = store
        self._spaces = spaces
        self.weights, self._fusion = fusion.weights, fusion
        self._curves = curves
        self._missing = missing or {}
        self._is_gone = is_gone

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        folded: bool = False,
    ) -> Answer:
        """Answer a query with at most k hits, the best first.

        Args:
            query: As `parse_query` reads it.
            k: At most so many hits.
            mode: What is ranked by.
            explain: Say which words matched.
            folded: One hit for a file, and for all files that say the same.

        Raises:
            PplxLocalError: The mode needs a leg that cannot run.
        """
        return finished(self.search_steps(query, Wanted(k, mode, explain, folded)))

    def search_steps(self, query: str, wanted: Wanted) -> Steps[Answer]:
        """Do so in steps, for somebody who may ask something else meanwhile."""
        self._refuse_impossible(wanted.mode)
        clock, parsed = Clock(), parse_query(query)
        filters, within = parsed.filters, self._store.select(parsed.filters)
        if not parsed.has_words or (within is not None and is_empty(within)):
            asked = Asked(LexicalQuery(()), filters=filters, within=within)
            answer = yield from self._listed(query, asked, wanted, clock)
        else:
            words, required = parsed.words, {wanted.mode}
            asked = yield from self._asked(words, wanted, required, clock, within)
            asked = asked._replace(filters=filters)
            answer = yield from self._found(query, asked, wanted, clock)
        return answer._replace(hints=(*parsed.hints, *about(parsed, asked)))

    def similar(
        self,
        said: str,
        chunk_ids: Sequence[int],
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        folded: bool = False,
    ) -> Answer:
        """Find passages that are like some chunks of a document, but for themselves.

        Args:
            said: What the answer says it was asked.
            chunk_ids: Together they are what passages should be like.
            k: At most so many hits.
            mode: What is ranked by.
            explain: Say which words matched.
            folded: One hit for a file, and for all files that say the same.

        Raises:
            PplxLocalError: The mode needs a leg that cannot run.
        """
        wanted = Wanted(k, mode, explain, folded)
        return finished(self.similar_steps(said, chunk_ids, wanted))

    def similar_steps(
        self, said: str, chunk_ids: Sequence[int], wanted: Wanted
    ) -> Steps[Answer]:
        """Do so in steps, for somebody who may ask something else meanwhile."""
        self._refuse_impossible(wanted.mode)
        clock = Clock()
        spaces = {} if wanted.mode == "lexical" else self._spaces
        asked = like(self._store, spaces, chunk_ids)
        return (yield from self._found(said, asked, wanted, clock))

    def rank(
        self,
        query: str,
        *,
        mode: Mode = "hybrid",
        k: int = 100,
        among: Ids | None = None,
    ) -> Ranking:
        """Score at least k candidates of each leg, where there are so many.

        Args:
            query: In words.
            mode: Which legs run.
            k: Of each leg.
            among: Chunks to score in place of those that the legs would find.
        """
        self._refuse_impossible(mode)
        clock = Clock()
        k = max(k, CANDIDATES)
        wanted = Wanted(k, mode, explain=False, folded=False)
        asked = finished(self._asked(query, wanted, {"dense", "late"}, clock))
        if among is not None:
            asked = asked._replace(words=replace(asked.words, rare_only=False))
        return finished(self._ranking(asked, mode, k, clock, among))

    def with_late(self, space: Space) -> Searcher:
        """Give a searcher of another space of the same late checkpoint.

        Raises:
            PplxLocalError: There is no late leg.
        """
        self._refuse_impossible("late")
        other, late = copy(self), replace(self._spaces["late"], space=space)
        other._spaces = {**self._spaces, "late": late}
        return other

    # --- answering ---

    def _asked(
        self,
        query: str,
        wanted: Wanted,
        required: Collection[str],
        clock: Clock,
        within: Selection | None = None,
    ) -> Steps[Asked]:
        spaces = {} if wanted.mode == "lexical" else self._spaces
        question = Question(query, max(wanted.k, CANDIDATES), within)
        return ask(question, self._store, spaces, required, clock)

    def _listed(
        self, said: str, asked: Asked, wanted: Wanted, clock: Clock
    ) -> Steps[Answer]:
        """Answer a query of filters alone with what they leave, the newest first."""
        ranking, scores = listing(self._store, self._spaces, asked, wanted.k, clock)
        presenter = self._presenter(ranking, scores, asked, weights={})
        hits = yield from presenter.hits(wanted.k, explain=False, folded=wanted.folded)
        answer = self._answer(said, wanted.mode, ranking, hits, clock)
        return answer._replace(nothing_close=not hits)

    def _found(
        self, said: str, asked: Asked, wanted: Wanted, clock: Clock
    ) -> Steps[Answer]:
        k, mode, explain, folded = wanted
        least = CANDIDATES
        # One leg that says which hits there are, and which is shown as they are.
        if mode == "lexical" and not folded:
            least = _SPARE * k
            few = replace(asked.words, for_few=least < CANDIDATES)
            asked = asked._replace(words=few)
        for n_candidates in (max(k, least), _REFILL * max(k, CANDIDATES)):
            yield
            ranking = yield from self._ranking(asked, mode, n_candidates, clock)
            scores = ranking.scores(mode, self.weights)
            weights = self.weights if mode == "hybrid" else {}
            presenter = self._presenter(ranking, scores, asked, weights)
            hits = yield from presenter.hits(k, explain=explain, folded=folded)
            if not folded or len(hits) >= k or self._saw_all(ranking, asked, presenter):
                break
        return self._answer(said, mode, ranking, hits, clock)

    def _presenter(
        self,
        ranking: Ranking,
        scores: Values,
        asked: Asked,
        weights: Mapping[Leg, float],
    ) -> Presenter:
        late = self._spaces.get("late")
        is_gone = (
            partial(self._is_not_wanted, asked) if asked.filters else self._is_gone
        )
        return Presenter(self._store, ranking, scores, weights, asked, late, is_gone)

    def _is_not_wanted(self, asked: Asked, path: bytes) -> bool:
        """Tell whether a file is gone, or is not the one of several that is wanted."""
        return self._is_gone(path) or not self._store.allows(asked.filters, path)

    def _answer(
        self,
        query: str,
        mode: Mode,
        ranking: Ranking,
        hits: tuple[Hit, ...],
        clock: Clock,
    ) -> Answer:
        confidence = [hit.confidence for hit in hits]
        return Answer(
            query=query,
            mode=mode,
            took_ms=clock.took_ms(),
            profile={
                role: self._spaces[role].space.spec.checkpoint
                if role in self._spaces
                else None
                for role in ("dense", "late")
            },
            legs=ranking.legs,
            nothing_close=nothing_close(confidence, ranking.words_held),
            hits=hits,
        )

    def _saw_all(self, ranking: Ranking, asked: Asked, presenter: Presenter) -> bool:
        """Tell whether more candidates would show no other document."""
        return (
            len(ranking.ids) < CANDIDATES
            or all_of(asked.within, CANDIDATES) is not None
            or presenter.n_documents >= self._store.count_documents()
        )

    # --- ranking ---

    def _ranking(
        self,
        asked: Asked,
        mode: Mode,
        k: int,
        clock: Clock,
        among: Ids | None = None,
    ) -> Steps[Ranking]:
        within = asked.within
        among = all_of(within, k) if among is None else among
        panel = Panel.of(self._store, self._spaces, asked)
        encoded = asked.encoded
        null = self._store.null_sample() if encoded else np.empty(0, np.int64)
        found = [null] if among is None else [null, among]
        if among is None:
            found = yield from panel.find(k, within, null, clock)
        yield
        ids = np.unique(np.concatenate(found).astype(np.int64))
        scored = panel.score(ids, clock)
        raw, matches = scored.raw, scored.matches
        yield
        why_not = reasons(mode, self._spaces, asked.failed, self._missing)
        share, known = matches.shares, panel.lexical.known_share
        trusted, n_words = self._trust(asked.words), _n_words(encoded)
        evidence = evidence_of(raw, share * np.float32(known), n_words, trusted)
        dense = panel.dense if mode == "hybrid" and self._fusion.feedback else None
        return Ranking(
            ids=ids,
            raw=raw,
            matches=matches,
            codes=dense.codes(ids) if dense else None,
            known_share=known,
            evidence=evidence,
            confidence=confidences(evidence, self._curves if asked.is_question else ()),
            trust=trusted,
            n_words=n_words,
            fusion=self._fusion,
            is_null=np.isin(ids, null),
            legs=reports(self._store, self._spaces, raw, why_not, clock),
            outside=None if within is None else ~within.holds(ids),
        )

    def _trust(self, query: LexicalQuery) -> dict[Leg, float]:
        words = " ".join(term.text for term in query.terms)
        return {leg: trust(words, one.scripts) for leg, one in self._spaces.items()}

    def _refuse_impossible(self, mode: Mode) -> None:
        if mode in ("dense", "late") and mode not in self._spaces:
            reason = self._missing.get(mode, "the profile has no such space")
            raise PplxLocalError(f"The {mode} leg cannot run: {reason}")


def _n_words(encoded: Mapping[Role, EncodedQuery]) -> int:
    return max(int(encoded["late"].real.sum()), 1) if "late" in encoded else 1
