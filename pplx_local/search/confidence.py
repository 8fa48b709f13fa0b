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

CLOSE = 0.5
"""Confidence below which nothing is close, unless the query's own words are there."""


def confidences(
    raw: Mapping[Leg, Values], n_words: int, curve: ConfidenceCurve | None
) -> Values:
    """Map the legs' scores of N candidates to 0..1; nan where there is no telling.

    Args:
        raw: (N,) Scores of the legs that ran.
        n_words: Rows of the query that stand for text, in the late space.
        curve: Of the checkpoint; None where none was measured.
    """
    if "late" not in raw or curve is None:
        return np.full(len(raw["lexical"]), np.nan, dtype=np.float32)
    mean = raw["late"] / max(n_words, 1)
    mean = np.where(np.isfinite(mean), mean, np.nan)
    with np.errstate(over="ignore"):  # as far as that is from an answer: 0
        values = 1 / (1 + np.exp(-curve.slope * (mean - curve.midpoint)))
    return values.astype(np.float32)


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
    return bool(likely) and words_held < CLOSE and max(likely) < CLOSE
