"""Figures of confidence, on numbers small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pplx_local.evaluate.closeness import Best, Closeness, auc, reliability

NAN = float("nan")


def best(confidence: float, is_right: bool = False, is_close: bool = False) -> Best:
    return Best(confidence, is_close, is_right)


@pytest.mark.parametrize(
    ("answers", "others", "expected"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1.0),
        ([0.9, 0.1], [0.5, 0.2], 0.5),
        ([0.5], [0.5], 0.5),
        ([0.1], [0.9, 0.8, 0.0], 1 / 3),
        ([0.1], [NAN], 1.0),
        ([NAN], [0.1], 0.0),
    ],
)
def test_auc_counts_pairs_in_the_right_order(answers, others, expected):
    assert auc(np.array(answers), np.array(others)) == pytest.approx(expected)


def test_auc_of_nothing_says_nothing():
    assert np.isnan(auc(np.array([]), np.array([0.1])))


def test_reliability_compares_each_bin_with_what_is_right():
    found = [best(0.91, True), best(0.97, True), best(1.0), best(0.12), best(NAN, True)]
    assert reliability(found) == [
        {"from": 0.1, "queries": 1, "confidence": 0.12, "right": 0.0},
        {"from": 0.9, "queries": 3, "confidence": 0.96, "right": 0.6667},
    ]


def test_what_was_not_asked_is_not_reported():
    closeness = Closeness()
    closeness.own = [best(0.8, True, True), best(0.4)]
    result = closeness.result()
    assert result["called_close"] == result["right"] == 0.5
    assert not {"answer_removed", "unanswerable"} & result.keys()


def test_a_share_wrongly_called_close_is_that_of_the_unanswerable():
    closeness = Closeness()
    closeness.own = [best(0.8, True, True)]
    closeness.foreign["x"] = [best(0.7, False, True), best(0.2), best(0.1)]
    closeness.foreign["y"] = [best(0.9)]
    x, y = closeness.result()["unanswerable"]
    assert x == {"from": "x", "queries": 3, "auc": 1.0, "called_close": 0.3333}
    assert y == {"from": "y", "queries": 1, "auc": 0.0, "called_close": 0.0}
