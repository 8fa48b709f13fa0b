"""Fusion and ranking, on numbers small enough to check by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pplx_local.records import LegReport
from pplx_local.search import Ranking, best_first
from pplx_local.search.fusion import above, fuse

WEIGHTS = {"dense": 1.0, "late": 2.0, "lexical": 12.0}


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_scores_are_measured_from_the_null_sample():
    assert above(floats(5, 1), floats(1, 3)).tolist() == [3, -1]


def test_a_missing_score_counts_as_the_mean():
    assert above(floats(np.nan, -np.inf), floats(1, 3)).tolist() == [0, 0]


def test_missing_scores_in_the_null_sample_do_not_move_it():
    assert above(floats(5), floats(1, 3, np.nan, -np.inf)).tolist() == [3]


def test_the_order_of_the_null_sample_does_not_matter():
    rng = np.random.default_rng(0)
    null = rng.random(256, dtype=np.float32)
    scores = rng.random(50, dtype=np.float32)
    first = above(scores, null)
    for _ in range(20):
        assert (above(scores, rng.permutation(null)) == first).all()


def test_no_null_sample_says_nothing():
    assert above(floats(5), floats()).tolist() == [0]
    assert above(floats(5), floats(np.nan)).tolist() == [0]


def test_a_long_query_counts_as_much_as_a_short_one():
    short = ranking(lexical=floats(1, 1), late=floats(4, 2))
    long = replace(short, raw=short.raw | {"late": floats(8, 4)}, n_words=2)
    assert (short.scores("hybrid", WEIGHTS) == long.scores("hybrid", WEIGHTS)).all()


def test_of_a_model_that_nobody_measured_the_scale_does_not_matter():
    small = replace(ranking(lexical=floats(1, 1), late=floats(4, 2)), scale="z_score")
    large = replace(small, raw=small.raw | {"late": floats(400, 200)})
    one, other = (found.scores("hybrid", WEIGHTS) for found in (small, large))
    assert one == pytest.approx(other)
    assert (one[0] - one[1]) == pytest.approx(2 * WEIGHTS["late"])


def test_fuse_weighs_the_legs():
    fused = fuse({"dense": floats(1, 0), "late": floats(0, 3)}, WEIGHTS)
    assert fused.tolist() == [1, 6]


def ranking(**raw: np.ndarray) -> Ranking:
    share = raw["lexical"] / 10
    report = LegReport(ran=True, coverage=1, ms=0)
    return Ranking(
        ids=np.arange(len(share), dtype=np.int64),
        raw=raw,
        keyword_share=share,
        known_share=1.0,
        evidence={"lexical": share},
        confidence=share * np.nan,
        trust={},
        n_words=1,
        scale="score",
        is_null=np.ones(len(share), dtype=bool),
        legs=dict.fromkeys(raw, report),
    )


def test_lexical_mode_finds_only_what_holds_a_word():
    found = ranking(lexical=floats(3, 0, 5))
    assert best_first(found.ids, found.scores("lexical", WEIGHTS)) == [2, 0]


def test_hybrid_without_a_model_finds_only_what_holds_a_word():
    found = ranking(lexical=floats(3, 0, 5))
    assert best_first(found.ids, found.scores("hybrid", WEIGHTS)) == [2, 0]


def test_late_mode_leaves_out_chunks_without_token_vectors():
    found = ranking(lexical=floats(0, 0, 0), late=floats(2, -np.inf, 3))
    assert best_first(found.ids, found.scores("late", WEIGHTS)) == [2, 0]


def test_hybrid_keeps_a_chunk_that_only_words_can_find():
    found = ranking(lexical=floats(8, 0, 0), dense=floats(np.nan, 0.1, 0.2))
    assert best_first(found.ids, found.scores("hybrid", WEIGHTS))[0] == 0


def test_a_leg_without_a_weight_takes_no_part():
    found = ranking(lexical=floats(9, 0), dense=floats(0.1, 0.9))
    scores = found.scores("hybrid", {"dense": 1.0})
    assert best_first(found.ids, scores) == [1, 0]


def test_ties_break_by_id():
    assert best_first(np.array([7, 3]), floats(1, 1)) == [1, 0]


def test_a_model_that_cannot_read_the_query_counts_less():
    found = ranking(lexical=floats(3, 0), dense=floats(0, 4))
    trusted = replace(found, trust={"dense": 1.0}).parts(WEIGHTS | {"lexical": 1})
    foreign = replace(found, trust={"dense": 0.1}).parts(WEIGHTS | {"lexical": 1})
    assert foreign["dense"] == pytest.approx(trusted["dense"] / 10)
    assert foreign["lexical"].tolist() == trusted["lexical"].tolist()


def test_keywords_that_are_hardly_known_count_less_beside_a_model_that_reads_them():
    found = replace(ranking(lexical=floats(3, 0), dense=floats(0, 4)), known_share=0.25)
    weights = WEIGHTS | {"lexical": 1}
    trusted = replace(found, trust={"dense": 1.0}).parts(weights)
    foreign = replace(found, trust={"dense": 0.0}).parts(weights)
    assert trusted["lexical"] == pytest.approx(found.keyword_share / 4)
    assert foreign["lexical"] == pytest.approx(found.keyword_share)
