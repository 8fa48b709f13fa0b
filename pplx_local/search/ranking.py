"""The candidates of one query with everything that the legs said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pplx_local.models import Fusion
from pplx_local.records import Leg, LegReport, Mode
from pplx_local.search.feedback import NEAREST, likeness, weighed_here
from pplx_local.search.fusion import above, fuse, spread
from pplx_local.search.legs import Ids, Values
from pplx_local.store import Matches

_MODELS: tuple[Leg, ...] = ("dense", "late")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates of a query, unordered, N of them."""

    ids: Ids
    """(N,) Chunk ids, each once."""
    raw: Mapping[Leg, Values]
    """(N,) Scores of the legs that ran; nan or -inf where a leg has none."""
    matches: Matches
    """What each of the keywords gives to each candidate."""
    codes: NDArray[np.int8] | None
    """(N, D) The dense vectors, zeros where a candidate has none; None where they are not
    fed back."""
    known_share: float
    """How much of the query, by weight, the index knows at all: 0 to 1."""
    evidence: Mapping[Leg, Values]
    """(N,) What the confidence is made of, on scales that do not hang on the query."""
    confidence: Values
    """(N,) The chance that it answers, 0 to 1; nan where there is no telling."""
    trust: Mapping[Leg, float]
    """How far each model's scores count for the query: 1 where it reads its script."""
    n_words: int
    """Rows of the query that stand for text, in the late space; at least 1."""
    fusion: Fusion
    """On which scale the models' legs are added up, and what is fed back; the weights are
    the caller's."""
    is_null: NDArray[np.bool_]
    """(N,) Which candidates belong to the null sample."""
    legs: Mapping[Leg, LegReport]
    outside: NDArray[np.bool_] | None = None
    """(N,) Which of the null sample the filters leave out: others are measured by them,
    but they are no hits. None for none."""
    _parts: dict[object, dict[Leg, Values]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What `parts` gave, by weights: hits are ordered by it, and say it."""

    def scores(self, mode: Mode, weights: Mapping[Leg, float]) -> Values:
        """Score the candidates (N,) by a mode; -inf for what it does not find.

        Args:
            mode: What to rank by.
            weights: Of the legs, in the fusion; a leg without a weight takes no part.
        """
        return self._wanted(self._all_scores(mode, weights))

    def _all_scores(self, mode: Mode, weights: Mapping[Leg, float]) -> Values:
        if mode == "lexical":
            return _found(self.keyword_share > 0, self.raw["lexical"])
        if mode in ("dense", "late"):
            return _found(np.isfinite(self.raw[mode]), self.raw[mode])
        fused = fuse(self.parts(weights), weights)
        if self.raw.keys() == {"lexical"}:  # what holds none of the words is no answer
            return _found(self.keyword_share > 0, fused)
        return fused

    def without(self, gone: NDArray[np.bool_]) -> Ranking:
        """Give the same candidates but for some, of the N."""
        kept = ~gone
        return replace(
            self,
            ids=self.ids[kept],
            raw={leg: values[kept] for leg, values in self.raw.items()},
            matches=self.matches.of(kept),
            codes=None if self.codes is None else self.codes[kept],
            evidence={leg: part[kept] for leg, part in self.evidence.items()},
            confidence=self.confidence[kept],
            is_null=self.is_null[kept],
            outside=None if self.outside is None else self.outside[kept],
        )

    @property
    def keyword_share(self) -> Values:
        """(N,) BM25 divided by the query's attainable maximum."""
        return self.matches.shares

    @property
    def words_held(self) -> float:
        """The most of the query's own words, by weight, that any candidate holds."""
        shares = self.keyword_share
        held = shares if self.outside is None else shares[~self.outside]
        return float(held.max(initial=0)) * self.known_share

    def parts(self, weights: Mapping[Leg, float]) -> dict[Leg, Values]:
        """Normalise the scores (N,) of the legs that take part in the fusion.

        The dense part holds the likeness to the best passages too.
        """
        key = tuple(weights.items())
        if key not in self._parts:
            self._parts[key] = self._all_parts(weights)
        return self._parts[key]

    def _all_parts(self, weights: Mapping[Leg, float]) -> dict[Leg, Values]:
        models: dict[Leg, Values] = {
            leg: self._normalised(leg, self.raw[leg])
            for leg in _MODELS
            if leg in self.raw and leg in weights
        }
        parts = dict(models)
        if "lexical" in weights:
            parts["lexical"] = self._keywords(models, weights)
        if self.codes is not None and "dense" in models:
            fed_back = self._fed_back(self.codes, fuse(parts, weights))
            parts["dense"] = models["dense"] + fed_back
        return parts

    def _keywords(
        self, models: Mapping[Leg, Values], weights: Mapping[Leg, float]
    ) -> Values:
        """Weigh words by what they tell among all passages, and among the nearest.

        Keywords count less where few of the query's words are known here, as far as a
        model knows better: English words in a folder of twelve languages find little
        but names (XQuAD, nDCG@10 while the models counted by z-scores: 0.425 -> 0.439;
        no other set moved by 0.002).
        """
        trust = max(self.trust.values(), default=0.0)
        nearest = self._nearest(models, weights)
        share = weighed_here(self.matches, nearest, self.fusion.here * trust)
        return share * np.float32(self.known_share**trust)

    def _nearest(
        self, models: Mapping[Leg, Values], weights: Mapping[Leg, float]
    ) -> NDArray[np.intp]:
        """Choose those that the models find best, of what they have seen."""
        nearest: list[int] = []
        if models and self.fusion.here:
            seen = [np.isfinite(self.raw[leg]) for leg in models]
            scores = _found(np.any(seen, axis=0), fuse(models, weights))
            nearest = best_first(self.ids, self._wanted(scores))[:NEAREST]
        return np.array(nearest, dtype=np.intp)

    def _fed_back(self, codes: NDArray[np.int8], scores: Values) -> Values:
        """Compare with the best: a guess, the more so where words are not known here.

        By the square: questions in English to twelve languages lose by any of it (XQuAD,
        nDCG@10 0.3988 -> 0.3993), and other sets know nearly all of their words.
        """
        alike = likeness(codes, self.ids, self._wanted(scores))
        share = np.float32(self.fusion.feedback * self.known_share**2)
        return share * self._normalised("dense", alike)

    def _wanted(self, scores: Values) -> Values:
        return scores if self.outside is None else _found(~self.outside, scores)

    def _normalised(self, leg: Leg, scores: Values) -> Values:
        unit = np.float32(self.trust.get(leg, 1.0) / self._unit(leg))
        return above(scores, scores[self.is_null]) * unit

    def _unit(self, leg: Leg) -> float:
        if self.fusion.scale == "z_score":
            return spread(self.raw[leg][self.is_null])
        return self.n_words if leg == "late" else 1.0


def _found(found: NDArray[np.bool_], scores: Values) -> Values:
    return np.where(found, scores, -np.inf).astype(np.float32)


def best_first(ids: Ids, scores: Values) -> list[int]:
    """Return indices of the candidates, the best first, the unfound left out."""
    ranked = np.lexsort((ids, -scores))
    best: list[int] = ranked[np.isfinite(scores[ranked])].tolist()
    return best
