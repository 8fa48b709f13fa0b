"""Query words in MaxSim, weighted by how rare they are."""

from __future__ import annotations

import numpy as np
import pytest

from pplx_local.records import TokenVectors
from pplx_local.reference import maxsim
from pplx_local.search.rarity import LEAST, UNKNOWN, weigh
from pplx_local.store import analyze_query

SHARES = {
    term: share
    for word, share in {"the": 0.9, "osmosis": 0.001, "of": 0.8}.items()
    for term in analyze_query(word).terms
}


def query(n_rows: int) -> TokenVectors:
    return TokenVectors(
        "int8",
        np.full((n_rows, 4), 127, dtype=np.int8),
        np.full(n_rows, 1 / 127, dtype=np.float32),
        np.arange(n_rows, dtype=np.int32),
        np.array([0, n_rows], dtype=np.int32),
    )


def weights(words: list[str], power: float = 1.0) -> list[float]:
    scales = weigh(query(len(words)), words, SHARES, power).scales
    assert scales is not None
    return (scales * 127).tolist()


def test_rare_words_count_more_and_the_average_stays() -> None:
    the, osmosis = weights(["the", "osmosis"])
    assert osmosis / the == pytest.approx(-np.log(0.001) / LEAST)
    assert the + osmosis == pytest.approx(2)


def test_marks_count_least_and_unknown_words_neither_much_nor_little() -> None:
    mark, unknown, rare = weights(["?", "xyzzy", "osmosis"])
    assert mark / unknown == pytest.approx(LEAST / -np.log(UNKNOWN))
    assert mark < unknown < rare


def test_rows_of_no_word_count_as_the_average_one() -> None:
    special, the, osmosis = weights(["", "the", "osmosis"])
    assert special == pytest.approx((the + osmosis) / 2)


def test_no_power_and_no_word_leave_a_query_as_it_is() -> None:
    assert weights(["the", "osmosis"], power=0) == pytest.approx([1, 1])
    assert weights(["", ""]) == pytest.approx([1, 1])


def test_a_passage_with_the_rare_word_wins() -> None:
    rows = np.eye(4, dtype=np.float32)[:2]
    codes = (rows * 127).astype(np.int8)
    scales = np.full(2, 1 / 127, dtype=np.float32)
    asked = TokenVectors(
        "int8", codes, scales, np.arange(2, dtype=np.int32), np.array([0, 2], np.int32)
    )
    docs = TokenVectors(
        "int8", codes, scales, np.zeros(2, np.int32), np.array([0, 1, 2], np.int32)
    )
    plain = maxsim(asked, docs).values
    assert plain[0] == pytest.approx(plain[1])
    the, osmosis = maxsim(weigh(asked, ["the", "osmosis"], SHARES, 0.75), docs).values
    assert osmosis > the
