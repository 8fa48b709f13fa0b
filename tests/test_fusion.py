"""Fusion and ranking, on numbers small enough to check by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pplx_local.models import Fusion
from pplx_local.records import LegReport
from pplx_local.search import Ranking, best_first
from pplx_local.search.feedback import likeness, weighed_here
from pplx_local.search.fusion import above, fuse
from pplx_local.store import Matches

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
    small = replace(
        ranking(lexical=floats(1, 1), late=floats(4, 2)), fusion=Fusion({}, "z_score")
    )
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
        matches=words(*([one] for one in raw["lexical"])),
        codes=None,
        known_share=1.0,
        evidence={"lexical": share},
        confidence=share * np.nan,
        trust={},
        n_words=1,
        fusion=Fusion({}, "score"),
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
    assert trusted["lexical"] == pytest.approx(foreign["lexical"] / 4)
    assert foreign["lexical"] == pytest.approx(found.keyword_share)


# --- what the best candidates tell ---


def words(*parts: list[float]) -> Matches:
    """What words give, each at the most 10; all of them are equally rare."""
    n = len(parts[0])
    return Matches(
        parts=np.array(parts, np.float32),
        most=np.full(n, 10, np.float32),
        weights=np.full(n, 4, np.float32),
        idfs=np.full(n, 4, np.float32),
        pairs=(),
    )


def test_a_word_that_all_the_nearest_hold_counts_less():
    matches = words([5, 0], [5, 5], [5, 0], [0, 5])
    here = weighed_here(matches, np.array([0, 1, 2]), power=0.5)
    # All three hold the first word, one of them the second.
    first = (np.log(1 + 0.5 / 3.5) / 4) ** 0.5
    second = (np.log(1 + 2.5 / 1.5) / 4) ** 0.5
    sums = [5 * first, 5 * (first + second), 5 * first, 5 * second]
    expected = [one / (10 * (first + second)) for one in sums]
    assert here.tolist() == pytest.approx(expected)
    assert matches.shares[0] == matches.shares[3]
    assert here[3] > here[0]


def test_a_pair_weighs_what_the_lighter_of_its_words_does():
    pair = replace(
        words([5, 5], [0, 5]),
        parts=np.array([[5, 5, 2], [0, 5, 0]], np.float32),
        most=np.array([10, 10, 3], np.float32),
        weights=floats(8, 4),
        pairs=[(0, 1)],
    )
    weighed = pair.weighed(floats(0.25, 2))  # then they weigh 2 and 8; before, 8 and 4
    assert weighed.parts[0].tolist() == [1.25, 10, 1]
    assert weighed.bound == 2.5 + 20 + 1.5


def test_a_pair_of_which_a_word_is_in_names_alone_stays_nothing():
    pair = replace(words([5, 5, 0]), weights=floats(0, 4), pairs=[(0, 1)])
    assert pair.weighed(floats(0.5, 2)).parts.tolist() == [[2.5, 10, 0]]


def test_without_the_nearest_words_keep_their_weights():
    matches = words([5, 0], [5, 5], [5, 0])
    nearest = np.array([0, 1, 2])
    assert weighed_here(matches, nearest, power=0).tolist() == matches.shares.tolist()
    no_hits = weighed_here(matches, nearest[:0], power=0.5)
    assert no_hits.tolist() == matches.shares.tolist()
    assert weighed_here(Matches.none(3), nearest, power=0.5).tolist() == [0, 0, 0]


def test_words_are_weighed_by_the_nearest_that_a_model_has_seen():
    """Those without a vector, with the smallest ids, tell nothing; nor what is outside."""
    n = 40
    found = ranking(lexical=np.zeros(n, np.float32), dense=np.zeros(n, np.float32))
    dense = np.linspace(1, 0.1, n, dtype=np.float32)
    dense[:2] = np.nan
    parts = np.zeros((n, 2), np.float32)
    parts[:, 0] = 5  # all hold the first word,
    parts[[0, 1, 33], 1] = 5  # and some that are unseen, or far, the second
    matches = replace(words([5, 0]), parts=parts)
    found = replace(
        found,
        raw=found.raw | {"dense": dense},
        matches=matches,
        fusion=Fusion({}, "score", here=0.5),
        trust={"dense": 1.0},
    )
    expected = weighed_here(matches, np.arange(2, 32), power=0.5)
    assert found.parts(WEIGHTS)["lexical"] == pytest.approx(expected)
    assert expected != pytest.approx(matches.shares)
    assert expected != pytest.approx(weighed_here(matches, np.arange(n), power=0.5))
    outside = np.arange(n) == 5
    expected = weighed_here(matches, np.array([*range(2, 5), *range(6, 33)]), power=0.5)
    left = replace(found, outside=outside).parts(WEIGHTS)["lexical"]
    assert left == pytest.approx(expected)
    foreign = replace(found, trust={"dense": 0.0}).parts(WEIGHTS)["lexical"]
    assert foreign.tolist() == matches.shares.tolist()


CODES = np.array([[3, 4], [0, 5], [-4, 3], [0, 0], [5, 0], [5, 1]], np.int8)


def test_passages_are_compared_with_the_best_by_how_far_these_stand_out():
    ids = np.arange(5)
    alike = likeness(CODES[:5], ids, floats(9, 6, 5, 1, 0))
    mean = (4 * np.array([0.6, 0.8]) + 1 * np.array([0, 1])) / 5
    units = np.array([[0.6, 0.8], [0, 1], [-0.8, 0.6], [np.nan, np.nan], [1, 0]])
    assert alike.tolist() == pytest.approx(
        (units @ mean).tolist(), abs=1e-5, nan_ok=True
    )


def test_of_equals_the_first_are_the_best_and_count_alike():
    equal = likeness(CODES[:5], np.array([4, 3, 2, 1, 0]), floats(1, 1, 1, 1, 1))
    # Ids 0, 1 and 2: the last rows, one of which has no vector.
    mean = (np.array([1, 0]) + np.array([-0.8, 0.6])) / 3
    assert equal[0] == pytest.approx(float(np.array([0.6, 0.8]) @ mean), abs=1e-5)


def fed(**changes: object) -> Ranking:
    """Four candidates, of which the last two are the same to both legs."""
    found = ranking(lexical=floats(8, 0, 0, 0), dense=floats(0.9, 0.5, 0.2, 0.2))
    codes = np.array([[10, 0], [9, 1], [0, 10], [10, 1]], np.int8)
    fusion = Fusion({}, "score", feedback=0.5)  # its codes say what the legs do not
    return replace(found, **{"codes": codes, "fusion": fusion, **changes})


def test_likeness_to_the_best_adds_to_the_dense_part():
    plain = replace(fed(), fusion=Fusion({}, "score"))
    scores, before = (one.scores("hybrid", WEIGHTS) for one in (fed(), plain))
    assert before[2] == before[3]
    assert scores[3] > scores[2]
    assert scores[3] - scores[2] <= 0.5 * WEIGHTS["dense"] * 1.01
    foreign = fed(trust={"dense": 0.0}).scores("hybrid", WEIGHTS)
    assert foreign[2] == foreign[3]
    unknown = fed(known_share=0.0).scores("hybrid", WEIGHTS)
    assert unknown[2] == unknown[3]


def test_of_few_hits_or_none_as_many_are_asked_with_as_there_are():
    scores = floats(-np.inf, 3, -np.inf)
    alike = likeness(CODES[:3], np.arange(3), scores)
    assert alike.tolist() == pytest.approx([0.8, 1, 0.6], abs=1e-5)
    nothing = np.full(3, -np.inf, np.float32)
    assert np.isnan(likeness(CODES[:3], np.arange(3), nothing)).all()
    no_ids = np.empty(0, np.int64)
    assert not len(likeness(CODES[:0], no_ids, floats()))
    assert not len(fed().without(np.ones(4, bool)).scores("hybrid", WEIGHTS))


def test_copies_score_the_same_wherever_they_stand():
    rng = np.random.default_rng(0)
    for n in range(2, 60):
        codes = rng.integers(-127, 128, (n, 384)).astype(np.int8)
        codes[-1] = codes[0]
        alike = likeness(codes, np.arange(n), rng.random(n, dtype=np.float32))
        assert alike[0] == alike[-1]


def test_some_candidates_left_out_leave_the_others_what_they_are():
    gone = np.array([False, True, False, True])
    left = fed().without(gone)
    assert left.codes.tolist() == fed().codes[~gone].tolist()
    assert left.keyword_share.tolist() == fed().keyword_share[~gone].tolist()


def test_what_filters_leave_out_is_not_fed_back():
    outside = np.array([True, False, False, False])
    scores = [
        np.diff(fed(codes=codes, outside=outside).scores("hybrid", WEIGHTS)[1:])
        for codes in (CODES[[0, 1, 2, 5]], CODES[[4, 1, 2, 5]])
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    everywhere = [
        np.diff(fed(codes=codes).scores("hybrid", WEIGHTS)[1:])
        for codes in (CODES[[0, 1, 2, 5]], CODES[[4, 1, 2, 5]])
    ]
    assert everywhere[0] != pytest.approx(everywhere[1], abs=1e-2)


def test_without_a_dense_leg_nothing_is_fed_back():
    late = replace(fed(), raw={"lexical": floats(8, 0, 0, 0)}, codes=None)
    assert late.parts(WEIGHTS).keys() == {"lexical"}
    no_dense = {leg: weight for leg, weight in WEIGHTS.items() if leg != "dense"}
    assert fed().parts(no_dense).keys() == {"lexical"}
