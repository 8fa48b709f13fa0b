"""One query through the legs, and the hits that a person sees."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np

from pplx_local import reference
from pplx_local.encoding import EncodedQuery
from pplx_local.errors import PplxLocalError
from pplx_local.models import ConfidenceCurve
from pplx_local.records import Answer, Leg, LegReport, Mode, Role, Scores, TokenVectors
from pplx_local.search.confidence import confidences, evidence_of, nothing_close
from pplx_local.search.legs import DenseLeg, Ids, LateLeg, LexicalLeg, Values
from pplx_local.search.present import Asked, Presenter
from pplx_local.search.ranking import Ranking
from pplx_local.search.rarity import weigh
from pplx_local.search.spaces import QueryEncoder, SearchSpace
from pplx_local.store import Store, analyze_query

CANDIDATES = 150
"""Chunks that each leg brings to the union, at least."""

_REFILL = 8
"""Times as many candidates are looked at where folding leaves too few hits."""

_PATIENCE_S = 60.0
"""With an encoder that is loaded: it answers between two batches, in fractions of a
second, unless the device or the system has it stuck."""


class Searcher:
    """Ranks the chunks of a store for queries."""

    def __init__(
        self,
        store: Store,
        spaces: Mapping[Role, SearchSpace],
        *,
        weights: Mapping[Leg, float],
        curves: Sequence[ConfidenceCurve] = (),
        missing: Mapping[Role, str] | None = None,
        is_gone: Callable[[bytes], bool] = lambda path: False,
    ) -> None:
        """Bind a store to the spaces that can be searched.

        Args:
            store: Read only.
            spaces: By role; a role may be absent.
            weights: Of the legs, in the fusion.
            curves: For the confidence; none for none.
            missing: Why a role is absent, shown to the person.
            is_gone: Whether a file has been deleted since it was indexed.
        """
        self._store = store
        self._spaces = spaces
        self.weights = weights
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
            query: In words.
            k: At most so many hits.
            mode: What is ranked by.
            explain: Say which words matched.
            folded: One hit for a file, and for all files that say the same.

        Raises:
            PplxLocalError: The mode needs a leg that cannot run.
        """
        started = time.perf_counter()
        for n_candidates in (k, _REFILL * max(k, CANDIDATES)):
            presenter, ranking = self._presenter(query, mode, n_candidates)
            hits = presenter.hits(k, explain=explain, folded=folded)
            if not folded or len(hits) >= k or self._saw_all(ranking, presenter):
                break
        return Answer(
            query=query,
            mode=mode,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
            profile={
                role: self._spaces[role].space.spec.checkpoint
                if role in self._spaces
                else None
                for role in ("dense", "late")
            },
            legs=ranking.legs,
            nothing_close=nothing_close(
                [hit.confidence for hit in hits], ranking.words_held
            ),
            hits=hits,
        )

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
        return self._rank(query, mode, k, {"dense", "late"}, among)[0]

    def _presenter(self, query: str, mode: Mode, k: int) -> tuple[Presenter, Ranking]:
        ranking, encoded = self._rank(query, mode, k, required={mode})
        words, late = analyze_query(query), self._spaces.get("late")
        asked = Asked(mode, words, late, encoded.get("late"))
        of = Presenter(self._store, ranking, self.weights, asked, self._is_gone)
        return of, ranking

    def _saw_all(self, ranking: Ranking, presenter: Presenter) -> bool:
        """Tell whether more candidates would show no other document."""
        return (
            len(ranking.ids) < CANDIDATES
            or presenter.n_documents >= self._store.count_documents()
        )

    # --- ranking ---

    def _rank(
        self,
        text: str,
        mode: Mode,
        k: int,
        required: Collection[str],
        among: Ids | None = None,
    ) -> tuple[Ranking, Mapping[Role, EncodedQuery]]:
        self._refuse_impossible(mode)
        k = max(k, CANDIDATES)
        clock = _Clock()
        lexical = LexicalLeg(self._store, analyze_query(text))
        with clock.time("lexical"):
            found = [lexical.find(k)[0] if among is None else among]
        encoded, failed = self._encode(text, mode, required, clock)
        dense = self._dense_leg(encoded)
        if dense and among is None:
            with clock.time("dense"):
                found.append(dense.find(k)[0])
        null = self._store.null_sample() if encoded else np.empty(0, np.int64)
        ids = np.unique(np.concatenate([*found, null]).astype(np.int64))
        raw = self._score(ids, lexical, dense, self._late_leg(encoded, lexical), clock)
        share, known = lexical.fraction(raw["lexical"]), lexical.known_share
        evidence = evidence_of(raw, share * np.float32(known), _n_words(encoded))
        ranking = Ranking(
            ids=ids,
            raw=raw,
            keyword_share=share,
            known_share=known,
            evidence=evidence,
            confidence=confidences(evidence, self._curves),
            is_null=np.isin(ids, null),
            legs=self._reports(raw, mode, clock, failed),
        )
        return ranking, encoded

    def _refuse_impossible(self, mode: Mode) -> None:
        if mode in ("dense", "late") and mode not in self._spaces:
            reason = self._missing.get(mode, "the profile has no such space")
            raise PplxLocalError(f"The {mode} leg cannot run: {reason}")

    def _encode(
        self, text: str, mode: Mode, required: Collection[str], clock: _Clock
    ) -> tuple[dict[Role, EncodedQuery], dict[Role, str]]:
        """Encode the query once for each encoder; the reasons of those that could not."""
        encoded: dict[Role, EncodedQuery] = {}
        failed: dict[Role, str] = {}
        if mode == "lexical" or not text.strip():
            return encoded, failed
        asked: dict[int, Future[EncodedQuery]] = {}
        deadline = time.monotonic() + _PATIENCE_S
        for role, space in self._spaces.items():
            key = id(space.encoder)
            with clock.time(role):
                try:
                    if key not in asked:
                        asked[key] = space.encoder.encode_query(text)
                    encoded[role] = _encoded(asked[key], deadline)
                except PplxLocalError as error:  # the other legs still answer
                    if role in required:
                        raise
                    failed[role] = str(error)
        return encoded, failed

    def _dense_leg(self, encoded: Mapping[Role, EncodedQuery]) -> DenseLeg | None:
        vectors = encoded["dense"].dense if "dense" in encoded else None
        if vectors is None:
            return None
        return DenseLeg(self._store, self._spaces["dense"].space, vectors)

    def _late_leg(
        self, encoded: Mapping[Role, EncodedQuery], lexical: LexicalLeg
    ) -> LateLeg | None:
        tokens = encoded["late"].tokens if "late" in encoded else None
        if tokens is None or not len(tokens.codes):
            return None
        late, words = self._spaces["late"], encoded["late"].words
        tokens = weigh(tokens, words, lexical.shares, late.idf_power)
        return LateLeg(self._store, late.space, tokens, self._maxsim(late.encoder))

    @staticmethod
    def _maxsim(encoder: QueryEncoder) -> Callable[..., Scores]:
        def score(query: TokenVectors, docs: TokenVectors) -> Scores:
            try:
                return encoder.maxsim(query, docs)
            except PplxLocalError:  # the worker is gone; numpy is slower, and right
                return reference.maxsim(query, docs)

        return score

    def _score(
        self,
        ids: Ids,
        lexical: LexicalLeg,
        dense: DenseLeg | None,
        late: LateLeg | None,
        clock: _Clock,
    ) -> dict[Leg, Values]:
        raw: dict[Leg, Values] = {}
        with clock.time("lexical"):
            raw["lexical"] = lexical.score(ids)
        if dense:
            with clock.time("dense"):
                raw["dense"] = dense.score(ids)
        if late:
            with clock.time("late"):
                raw["late"] = late.score(ids)
        return raw

    def _reports(
        self,
        raw: Mapping[Leg, Values],
        mode: Mode,
        clock: _Clock,
        failed: Mapping[Role, str],
    ) -> dict[Leg, LegReport]:
        legs: dict[Leg, LegReport] = {}
        for leg in ("lexical", "dense", "late"):
            ran = leg in raw
            legs[leg] = LegReport(
                ran=ran,
                coverage=self._coverage(leg),
                ms=clock.ms.get(leg, 0.0),
                reason=None if ran else self._why_not(leg, mode, failed),
            )
        return legs

    def _coverage(self, leg: Leg) -> float:
        if leg == "lexical":
            return 1.0
        space = self._spaces.get(leg)
        return self._store.coverage(space.space) if space else 0.0

    def _why_not(self, leg: Leg, mode: Mode, failed: Mapping[Role, str]) -> str:
        if mode == "lexical":
            return "not asked for"
        if leg == "lexical":
            return "the query has nothing to encode"
        if leg in self._spaces:
            return failed.get(leg, "the query has nothing to encode")
        return self._missing.get(leg, "the profile has no such space")


def _n_words(encoded: Mapping[Role, EncodedQuery]) -> int:
    return int(encoded["late"].real.sum()) if "late" in encoded else 0


def _encoded(asked: Future[EncodedQuery], deadline: float) -> EncodedQuery:
    try:
        return asked.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError as error:
        raise PplxLocalError(
            f"The model has not answered for {_PATIENCE_S:.0f} seconds. If that goes "
            "on, end its process; another one is started by itself."
        ) from error


class _Clock:
    """Milliseconds by leg."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def time(self, leg: Leg) -> Iterator[None]:
        started = time.perf_counter()
        yield
        ms = (time.perf_counter() - started) * 1000
        self.ms[leg] = round(self.ms.get(leg, 0.0) + ms, 2)
