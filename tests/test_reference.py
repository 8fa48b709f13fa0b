from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pplx_local import reference
from pplx_local.records import TokenEncoding, TokenVectors

MATRICES = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.sampled_from([8, 16, 40])),
    elements=st.floats(-100, 100, width=32),
)


def test_pool_is_the_mean_over_tokens() -> None:
    hidden = np.array([[1, 2], [3, -6]], dtype=np.float32)
    assert reference.pool(hidden).tolist() == [2, -2]


def test_tanh_codes_round_half_to_even_and_never_wrap() -> None:
    x = np.array([[0, 50, -50, np.arctanh(0.5 / 127), 1e-9]], dtype=np.float32)
    codes = reference.quantize_dense(x, "tanh", "sign").codes
    assert codes.tolist() == [[0, 127, -127, 0, 0]]


def test_max_abs_codes_use_the_whole_range() -> None:
    x = np.array([[0.5, -0.25, 0.125], [0, 0, 0]], dtype=np.float32)
    codes = reference.quantize_dense(x, "max_abs", "sign").codes
    assert codes.tolist() == [[127, -64, 32], [0, 0, 0]]


def test_sign_bits_come_from_the_raw_values_most_significant_first() -> None:
    """A small negative value has the code 0, and still the bit of a negative."""
    x = np.array([[1e-6, -1e-6, 0.0, -0.0, 5, -5, -5, -5]], dtype=np.float32)
    assert reference.pack_bits(x, "sign").tolist() == [[0b10111000]]


def test_thermometer_distance_is_the_difference_in_levels() -> None:
    levels = np.array([-2, -0.1, 0.1, 2], dtype=np.float32)
    x = np.repeat(levels, 2)[None]  # (1, 8): every level twice
    bits = np.unpackbits(reference.pack_bits(x, "three_thresholds"))
    per_value = bits.reshape(8, 3).sum(axis=1)
    assert per_value.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@given(MATRICES)
def test_every_threshold_bit_implies_the_lower_ones(x: NDArray[np.float32]) -> None:
    packed = reference.pack_bits(x, "three_thresholds")
    bits = np.unpackbits(packed, axis=1).reshape(*x.shape, 3)
    assert (np.diff(bits.astype(int), axis=-1) <= 0).all()
    assert np.array_equal(bits[..., 1], x >= 0)


@given(MATRICES)
def test_int8_rows_are_off_by_half_a_step_at_most(x: NDArray[np.float32]) -> None:
    codes, scales = reference.int8_rows(x)
    error = np.abs(codes * scales[:, None].astype(np.float64) - x)
    assert (error <= scales[:, None] * 0.5001 + 1e-12).all()


def test_token_bits_are_signs_whatever_the_length() -> None:
    x = np.array([[3, -4, 0, -1e-6] * 2], dtype=np.float32)
    cu_seqlens, positions = np.array([0, 1], np.int32), np.zeros(1, np.int32)
    for length in (1, 100):
        tokens = reference.quantize_tokens(x * length, cu_seqlens, positions, "bits")
        assert tokens.codes.tolist() == [[0b10101010]]


def test_int8_tokens_and_queries_are_unit_rows() -> None:
    x = np.array([[3, 4] * 4], dtype=np.float32)
    cu_seqlens, positions = np.array([0, 1], np.int32), np.zeros(1, np.int32)
    tokens = reference.quantize_tokens(x, cu_seqlens, positions, "int8")
    query = reference.quantize_query(x, positions)
    for one in (tokens, query):
        assert one.scales is not None
        assert one.codes.tolist() == [[95, 127] * 4]
        assert np.linalg.norm(one.codes * one.scales[:, None]) == pytest.approx(
            1, abs=0.01
        )


def _as_floats(tokens: TokenVectors, dim: int) -> NDArray[np.float64]:
    if tokens.encoding == "bits":
        signs = np.unpackbits(tokens.codes, axis=1, count=dim) * 2.0 - 1
        return signs / np.sqrt(dim)
    return tokens.codes * tokens.scales[:, None].astype(np.float64)


@pytest.mark.parametrize("encoding", ["int8", "bits"])
@given(
    lengths=st.lists(st.integers(0, 5), max_size=6),
    n_query=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_maxsim_is_the_sum_of_the_best_similarities(
    encoding: TokenEncoding, lengths: list[int], n_query: int, seed: int
) -> None:
    rng, dim = np.random.default_rng(seed), 24
    x = rng.standard_normal((sum(lengths), dim)).astype(np.float32)
    cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
    docs = reference.quantize_tokens(
        x, cu_seqlens, np.zeros(len(x), np.int32), encoding
    )
    rows = rng.standard_normal((n_query, dim)).astype(np.float32)
    query = reference.quantize_query(rows, np.arange(n_query, dtype=np.int32))
    scores = reference.maxsim(query, docs, want_matches=True)
    sims = _as_floats(query, dim) @ _as_floats(docs, dim).T  # (Q, T)
    for chunk, (start, end) in enumerate(pairwise(cu_seqlens)):
        own = sims[:, start:end]
        if start == end:
            assert scores.values[chunk] == -np.inf
            assert (scores.matches[chunk] == -1).all()
        else:
            assert scores.values[chunk] == pytest.approx(
                own.max(axis=1).sum(), abs=1e-4
            )
            best = own[np.arange(n_query), scores.matches[chunk]]
            assert best == pytest.approx(own.max(axis=1), abs=1e-5)


def test_maxsim_does_not_depend_on_how_rows_are_grouped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    lengths = [3, 0, 50, 1, 7, 20, 0]
    x = rng.standard_normal((sum(lengths), 16)).astype(np.float32)
    cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
    docs = reference.quantize_tokens(x, cu_seqlens, np.zeros(len(x), np.int32), "bits")
    query = reference.quantize_query(x[:4], np.zeros(4, np.int32))
    whole = reference.maxsim(query, docs, want_matches=True)
    monkeypatch.setattr(reference, "_ROWS_AT_ONCE", 8)
    parts = reference.maxsim(query, docs, want_matches=True)
    assert np.array_equal(whole.values, parts.values)
    assert np.array_equal(whole.matches, parts.matches)
