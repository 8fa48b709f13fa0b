"""Whether a confidence means what it says, and tells answers from the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Leg
from pplx_local.search import Ranking, best_first, nothing_close

BINS = 10
SHOWN = 10
"""Hits that a person sees: something is close if one of them is."""


class Best(NamedTuple):
    """What a search says of its best hit."""

    confidence: float
    """nan for no hit, or where there is no telling."""
    is_close: bool
    """Whether anything is."""
    is_right: bool
    evidence: Mapping[Leg, float] = {}
    """What the confidence is made of, by leg."""


class Closeness:
    """Collects the best hits of searches, by what was asked."""

    def __init__(self) -> None:
        self.own: list[Best] = []
        """Of the collection's queries."""
        self.removed: list[Best] = []
        """Of the same with their relevant chunks kept out."""
        self.foreign: dict[str, list[Best]] = {}
        """Of queries that nothing here answers, by the file that they are from."""

    def result(self) -> dict[str, Any]:
        """Give the figures in the documented form."""
        foreign = list(chain.from_iterable(self.foreign.values()))
        result: dict[str, Any] = {
            "queries": len(self.own),
            "called_close": _share([best.is_close for best in self.own]),
            "right": _share([best.is_right for best in self.own]),
            "reliability": reliability([*self.own, *self.removed, *foreign]),
        }
        if self.removed:
            result["answer_removed"] = self._against(self.removed)
        if self.foreign:
            result["unanswerable"] = [
                {"from": file, **self._against(found)}
                for file, found in self.foreign.items()
            ]
        return result

    def _against(self, others: Sequence[Best]) -> dict[str, Any]:
        return {
            "queries": len(others),
            "auc": _rounded(auc(_values(self.own), _values(others))),
            "called_close": _share([best.is_close for best in others]),
        }


def best_of(
    ranking: Ranking, scores: NDArray[np.float32], is_right: Sequence[bool]
) -> Best:
    """Look at the best hit of a ranking as a person would see it.

    Args:
        ranking: N candidates.
        scores: (N,) That order them.
        is_right: Which of them answer the query.
    """
    order = best_first(ranking.ids, scores)[:SHOWN]
    shown = [float(ranking.confidence[index]) for index in order]
    return Best(
        confidence=shown[0] if shown else float("nan"),
        is_close=not nothing_close(shown, ranking.words_held),
        is_right=bool(order) and is_right[order[0]],
        evidence={
            leg: float(part[order[0]])
            for leg, part in ranking.evidence.items()
            if order
        },
    )


def auc(answers: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Compute how often an answer is the surer one of a pair; ties count a half.

    What has no confidence is less sure than anything; nan where either is empty.
    """
    if not len(answers) or not len(others):
        return float("nan")
    ranked = np.sort(np.nan_to_num(others, nan=-1.0))
    sure = np.nan_to_num(answers, nan=-1.0)
    below = np.searchsorted(ranked, sure, "left")
    upto = np.searchsorted(ranked, sure, "right")
    return float((below + upto).mean() / 2 / len(ranked))


def reliability(found: Sequence[Best]) -> list[dict[str, Any]]:
    """Compare confidences with how often they are right, in ten bins.

    Returns:
        For each bin that holds any: its lower end, how many best hits fall into it,
        their mean confidence, and the share of them that is right.
    """
    known = [best for best in found if not np.isnan(best.confidence)]
    bins: list[list[Best]] = [[] for _ in range(BINS)]
    for best in known:
        bins[min(int(best.confidence * BINS), BINS - 1)].append(best)
    return [
        {
            "from": number / BINS,
            "queries": len(held),
            "confidence": _rounded(np.mean([best.confidence for best in held])),
            "right": _share([best.is_right for best in held]),
        }
        for number, held in enumerate(bins)
        if held
    ]


def _values(found: Sequence[Best]) -> NDArray[np.float64]:
    return np.array([best.confidence for best in found], dtype=np.float64)


def _share(held: Sequence[bool]) -> float | None:
    return _rounded(np.mean(held)) if held else None


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
