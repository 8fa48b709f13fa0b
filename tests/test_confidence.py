"""Confidence, on numbers small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pplx_local.models import ConfidenceCurve
from pplx_local.search.confidence import confidences, nothing_close

CURVE = ConfidenceCurve(slope=30.0, midpoint=0.2)
NAN = float("nan")


def raw(*late: float) -> dict:
    return {
        "lexical": np.zeros(len(late), dtype=np.float32),
        "late": np.array(late, dtype=np.float32),
    }


def test_confidence_is_a_half_at_the_midpoint_and_rises():
    values = confidences(raw(0.2, 0.4, 0.6), 2, CURVE)
    assert values[0] < values[1] < values[2]
    assert values[1] == pytest.approx(0.5)


def test_a_passage_without_token_vectors_has_none():
    assert np.isnan(confidences(raw(-np.inf, 0.4), 2, CURVE)).tolist() == [True, False]


def test_without_a_late_leg_or_a_curve_there_is_no_telling():
    assert np.isnan(confidences(raw(0.4), 2, None)).all()
    assert np.isnan(confidences({"lexical": np.ones(1, np.float32)}, 2, CURVE)).all()


@pytest.mark.parametrize(
    ("shown", "words_held", "expected"),
    [
        ([], 1.0, True),
        ([0.4, 0.1], 0.2, True),
        ([0.4, 0.6], 0.2, False),
        ([0.4, 0.1], 0.8, False),
        ([NAN], 0.2, False),
        ([NAN, 0.1], 0.2, True),
    ],
)
def test_nothing_is_close_when_neither_sense_nor_words_are(shown, words_held, expected):
    assert nothing_close(shown, words_held) is expected
