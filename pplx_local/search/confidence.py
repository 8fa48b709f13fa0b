"""From what the legs say of a passage to the chance that it answers.

Scores of different queries cannot be compared; confidences can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from pplx_local.models import ConfidenceCurve
from pplx_local.records import Leg
from pplx_local.search.legs import Values

CLOSE = 0.05
"""Confidence below which nothing is close: an answer would be one in twenty. Of
questions of the field itself hardly any falls below it (SQuAD: 1 in 200)."""
HELD = 0.5
"""Share of the query's own words that is close, whatever the confidence."""

_TRUSTED = 0.5
"""Letters that a model does not know are all alike to it, and so like any others."""


def evidence_of(
    raw: Mapping[Leg, Values],
    words_held: Values,
    n_words: int,
    trust: Mapping[Leg, float],
) -> dict[Leg, Values]:
    """Bring what the legs say of N candidates to scales that do not hang on the query.

    Args:
        raw: (N,) Scores of the legs that ran.
        words_held: (N,) The share of the query's words, by weight, that each holds.
        n_words: Rows of the query that stand for text, in the late space; at least 1.
        trust: How far each model's scores count for the query.
    """
    evidence: dict[Leg, Values] = {"lexical": words_held}
    if "dense" in raw and trust["dense"] >= _TRUSTED:
        evidence["dense"] = raw["dense"]
    if "late" in raw and trust["late"] >= _TRUSTED:
        evidence["late"] = raw["late"] / np.float32(n_words)
    return evidence


def confidences(
    evidence: Mapping[Leg, Values], curves: Sequence[ConfidenceCurve]
) -> Values:
    """Map the evidence of N candidates to 0..1; nan where there is no telling.

    Args:
        evidence: (N,) Of the legs that ran.
        curves: Of the checkpoint; the first that the evidence suffices for is taken.
    """
    curve = next((one for one in curves if one.weights.keys() <= evidence.keys()), None)
    if curve is None:
        return np.full(len(evidence["lexical"]), np.nan, dtype=np.float32)
    sums = np.full(len(evidence["lexical"]), curve.offset, dtype=np.float32)
    for leg, weight in curve.weights.items():
        part = evidence[leg]
        sums += np.float32(weight) * np.where(np.isfinite(part), part, np.nan)
    with np.errstate(over="ignore"):  # as far as that is from an answer: 0
        return (1 / (1 + np.exp(-sums))).astype(np.float32)


def nothing_close(shown: Sequence[float], words_held: float) -> bool:
    """Judge whether the best of what is found is still nothing.

    Args:
        shown: Confidences of the hits, of which some may be nan.
        words_held: The most of the query's own words, by weight, that any passage
            holds, 0 to 1. Passages that hold most of them are close, whatever a model
            says: it may not know a part number, or the language.
    """
    if not shown:
        return True
    likely = [value for value in shown if not isnan(value)]
    return bool(likely) and words_held < HELD and max(likely) < CLOSE
