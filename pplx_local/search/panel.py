"""All legs that one question is put to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from pplx_local import reference
from pplx_local.encoding import EncodedQuery
from pplx_local.errors import PplxLocalError
from pplx_local.records import Leg, Role, Scores, TokenVectors
from pplx_local.search.asked import Asked
from pplx_local.search.clock import Clock
from pplx_local.search.legs import (
    DenseLeg,
    Ids,
    LateLeg,
    LexicalLeg,
    MaxSim,
    Values,
)
from pplx_local.search.pooled import pooled_leg
from pplx_local.search.rarity import weigh
from pplx_local.search.spaces import QueryEncoder, SearchSpace
from pplx_local.search.steps import Steps
from pplx_local.store import Matches, Selection, Store

_POOLED_SPARE = 2
"""Times as many as a leg brings: the means of token vectors are but a hint."""


class Scored(NamedTuple):
    """What the legs say of N chunks."""

    raw: Mapping[Leg, Values]
    """(N,) By leg."""
    matches: Matches
    """What each of the keywords gives."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The keywords always, and those for which there are vectors."""

    lexical: LexicalLeg
    dense: DenseLeg | None
    late: LateLeg | None
    pooled: DenseLeg | None
    """Makes the late leg's shortlist where there is no dense one."""

    @classmethod
    def of(
        cls,
        store: Store,
        spaces: Mapping[Role, SearchSpace],
        asked: Asked,
    ) -> Self:
        """Put a question to the legs."""
        encoded = asked.encoded
        lexical = LexicalLeg(store, asked.words, asked.picked)
        return cls(
            lexical,
            _dense(store, spaces, encoded),
            _late(store, spaces, encoded, lexical),
            pooled_leg(store, spaces.get("late"), encoded.get("late")),
        )

    def find(
        self, k: int, within: Selection | None, null: Ids, clock: Clock
    ) -> Steps[list[Ids]]:
        """Give the k best chunks of each leg that can find any, and the null sample.

        The shortlist by bits and the null sample's late scores are made beside the
        keywords' candidates, and its best are compared word by word while those are ranked.
        """
        found, finder = [null], self.dense or self.pooled
        if self.late and self.late.exhaustive:
            with clock.time("late"):
                best = self.late.best(k, within)
            if best is not None:
                found.append(best)
                finder = self.dense
        n = k if self.dense else _POOLED_SPARE * k
        shortlist = finder.begin(n, within) if finder else None
        self._begin_late(null, clock)

        with clock.time("lexical"):
            candidates = self.lexical.candidates(k, within)
        yield
        if finder and shortlist:
            with clock.time("dense" if self.dense else "late"):
                found.append(finder.best(shortlist(), n)[0])
        others = np.concatenate(found)
        self._begin_late(others, clock)
        yield
        with clock.time("lexical"):
            found.append(self.lexical.best(candidates, k, others)[0])
        return found

    def score(self, ids: Ids, clock: Clock) -> Scored:
        """Score chunks (N,) by all legs."""
        self._begin_late(ids, clock)
        with clock.time("lexical"):
            matches = self.lexical.score(ids)
        raw: dict[Leg, Values] = {"lexical": matches.scores}
        if self.dense:
            with clock.time("dense"):
                raw["dense"] = self.dense.score(ids)
        if self.late:
            with clock.time("late"):
                raw["late"] = self.late.score(ids)
        return Scored(raw, matches)

    def _begin_late(self, ids: Ids, clock: Clock) -> None:
        if self.late:
            with clock.time("late"):
                self.late.begin(ids)


def _dense(
    store: Store,
    spaces: Mapping[Role, SearchSpace],
    encoded: Mapping[Role, EncodedQuery],
) -> DenseLeg | None:
    vectors = encoded["dense"].dense if "dense" in encoded else None
    if vectors is None:
        return None
    return DenseLeg(store, spaces["dense"].space, vectors)


def _late(
    store: Store,
    spaces: Mapping[Role, SearchSpace],
    encoded: Mapping[Role, EncodedQuery],
    lexical: LexicalLeg,
) -> LateLeg | None:
    tokens = encoded["late"].tokens if "late" in encoded else None
    if tokens is None or not len(tokens.codes):
        return None
    late, words = spaces["late"], encoded["late"].words
    tokens = weigh(tokens, words, lexical.shares, late.idf_power)
    maxsim = _maxsim(late.encoder)
    return LateLeg(store, late.space, tokens, maxsim, late.exhaustive)


def _maxsim(encoder: QueryEncoder) -> MaxSim:
    def begin(query: TokenVectors, docs: TokenVectors) -> Callable[[], Scores]:
        def instead() -> Scores:
            return reference.maxsim(query, docs)

        try:
            asked = encoder.maxsim(query, docs)
        except PplxLocalError:  # the worker is gone; numpy is slower, and right
            return instead

        def wait() -> Scores:
            try:
                return asked.result()
            except PplxLocalError:
                return instead()

        return wait

    return begin
