"""Confidence, on numbers small enough to check by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pplx_local.evaluate.closeness import Best
from pplx_local.models import ConfidenceCurve
from pplx_local.search.confidence import confidences, evidence_of, nothing_close

ALL = ConfidenceCurve(-6.0, {"lexical": 2.0, "dense": 4.0, "late": 10.0})
LATE = ConfidenceCurve(-4.0, {"late": 10.0})
NAN = float("nan")


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def evidence(**parts: np.ndarray) -> dict:
    return {"lexical": np.zeros_like(next(iter(parts.values()))), **parts}


def test_evidence_is_the_mean_over_the_words_of_a_query():
    raw = {"lexical": floats(8), "dense": floats(0.3), "late": floats(2)}
    trust = {"dense": 1.0, "late": 0.6}
    found = evidence_of(raw, floats(0.5), 4, trust)
    assert {leg: float(part[0]) for leg, part in found.items()} == {
        "lexical": 0.5,
        "dense": pytest.approx(0.3),
        "late": 0.5,
    }


def test_a_model_that_hardly_reads_the_query_is_no_evidence():
    raw = {"lexical": floats(8), "dense": floats(0.9), "late": floats(4)}
    found = evidence_of(raw, floats(0.5), 4, {"dense": 0.1, "late": 0.4})
    assert found.keys() == {"lexical"}
    assert np.isnan(confidences(found, [LATE])).all()


def test_confidence_is_a_half_where_it_may_be_either_and_rises():
    values = confidences(evidence(late=floats(0.3, 0.4, 0.5)), [LATE])
    assert values[0] < values[1] < values[2]
    assert values[1] == pytest.approx(0.5)


def test_each_leg_adds_to_it():
    found = evidence(dense=floats(0.5), late=floats(0.3))
    assert confidences(found, [ALL])[0] == pytest.approx(1 / (1 + np.exp(1)))
    found["lexical"] = floats(0.5)
    assert confidences(found, [ALL])[0] == pytest.approx(0.5)


def test_the_first_curve_whose_legs_ran_is_taken():
    late = evidence(late=floats(0.4))
    assert confidences(late, [ALL, LATE])[0] == pytest.approx(0.5)
    assert confidences(late | {"dense": floats(0.0)}, [ALL, LATE])[0] < 0.2


def test_far_from_an_answer_it_is_nothing():
    assert confidences(evidence(late=floats(-1e6)), [LATE]).tolist() == [0]


def test_a_passage_without_vectors_has_none():
    values = confidences(evidence(late=floats(-np.inf, 0.4)), [LATE])
    assert np.isnan(values).tolist() == [True, False]


def test_without_a_curve_for_the_legs_that_ran_there_is_no_telling():
    assert np.isnan(confidences(evidence(late=floats(0.4)), [])).all()
    assert np.isnan(confidences(evidence(dense=floats(0.4)), [ALL, LATE])).all()


@pytest.mark.parametrize(
    ("shown", "words_held", "expected"),
    [
        ([], 1.0, True),
        ([0.03, 0.02], 0.2, True),
        ([0.03, 0.05], 0.2, False),
        ([0.03, 0.02], 0.8, False),
        ([NAN], 0.2, False),
        ([NAN, 0.02], 0.2, True),
    ],
)
def test_nothing_is_close_when_neither_sense_nor_words_are(shown, words_held, expected):
    assert nothing_close(shown, words_held) is expected


# --- the fit ---


@pytest.fixture(scope="module")
def fitting():
    path = Path(__file__).parents[1] / "scripts" / "fit_confidence.py"
    spec = importlib.util.spec_from_file_location("fit_confidence", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_fit_finds_the_curve_that_made_the_answers(fitting):
    rng = np.random.default_rng(5)
    x = rng.random((20_000, 2)) * [1.0, 0.1]
    chance = 1 / (1 + np.exp(4 - 6 * x[:, 0] - 20 * x[:, 1]))
    y = (rng.random(len(x)) < chance).astype(float)
    offset, slopes = fitting.fit(x, y, np.ones(len(x)))
    assert offset == pytest.approx(-4, abs=0.3)
    assert slopes == pytest.approx([6, 20], rel=0.1)


def test_the_kinds_of_hits_count_alike(fitting):
    held = {"lexical": 0.5, "late": 0.2}
    kinds = [
        [Best(0.1, False, True, held)] * 3,
        [Best(0.1, False, False, held), Best(0.1, False, False, {})],
    ]
    x, y, weights = fitting.table(kinds, ("late",))
    assert x.tolist() == [[0.2]] * 4
    assert y.tolist() == [1, 1, 1, 0]
    assert weights.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
