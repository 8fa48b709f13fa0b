"""Pooled token vectors: the rule by itself, and in every backend."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from targets import (
    INT8,
    assert_same_alone,
    cosines,
    dim,
    random_ids,
    stock,
    target,
    tiny,
    token_rows,
    whole,
    window_of,
)

from pplx_local.backend.pooling import n_pooled, pool_rows, ward_labels
from pplx_local.reference import unit_rows as to_unit

__all__ = ["dim", "stock", "target", "tiny"]

POOLED = replace(INT8, token_pooling=2)


def unit_rows(seed: int, n: int, dim: int = 16) -> NDArray[np.float32]:
    """Rows that lie in heaps, as the tokens of a passage do."""
    rng = np.random.default_rng(seed)
    heaps = rng.standard_normal((max(n // 4, 1), dim))
    x = heaps[rng.integers(0, len(heaps), n)] + rng.standard_normal((n, dim)) / 2
    return to_unit(x.astype(np.float32))


def spread(rows: NDArray[np.float32]) -> float:
    """Sum of the squared distances to the mean."""
    return float(((rows - rows.mean(axis=0)) ** 2).sum())


def merged_one_by_one(rows: NDArray[np.float32], n_left: int) -> set[frozenset[int]]:
    """Ward's rule as it is defined: the merge that spreads least, again and again."""
    clusters = [frozenset({row}) for row in range(len(rows))]

    def cost(pair: tuple[frozenset[int], frozenset[int]]) -> float:
        a, b = (rows[sorted(one)].astype(np.float64) for one in pair)
        return spread(np.concatenate([a, b])) - spread(a) - spread(b)

    while len(clusters) > n_left:
        a, b = min(combinations(clusters, 2), key=cost)
        clusters = [one for one in clusters if one not in (a, b)] + [a | b]
    return set(clusters)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 16), st.integers(2, 4))
def test_clusters_are_those_of_merging_one_by_one(
    seed: int, n: int, pooling: int
) -> None:
    rows, n_left = unit_rows(seed, n), n_pooled(n, pooling)
    labels = ward_labels(rows, n_left)
    clusters = {
        frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)
    }
    assert clusters == merged_one_by_one(rows, n_left)


def test_rows_that_are_all_alike_are_merged_too() -> None:
    rows = np.tile(unit_rows(0, 1), (7, 1))
    assert len(set(ward_labels(rows, 3))) == 3


@pytest.mark.parametrize(("n", "left"), [(0, 0), (1, 1), (2, 1), (7, 4), (100, 50)])
def test_half_of_the_rows_are_left_rounded_up(n: int, left: int) -> None:
    pooled = pool_rows(unit_rows(1, n), 2)
    assert pooled.rows.shape == (left, 16)
    assert pooled.members.shape == (left,)


def test_a_merged_row_is_the_mean_and_names_the_row_nearest_to_it() -> None:
    rows = unit_rows(2, 40)
    labels, pooled = ward_labels(rows, 20), pool_rows(rows, 2)
    for label, (mean, member) in enumerate(zip(*pooled, strict=True)):
        own = np.flatnonzero(labels == label)
        assert np.allclose(mean, rows[own].mean(axis=0), atol=1e-6)
        assert member in own
        assert rows[member] @ mean >= (rows[own] @ mean).max() - 1e-6


# --- in the backends ---


def test_backends_pool_the_states_of_the_stock_model(target, tiny, stock) -> None:
    backend, device = target
    rng = np.random.default_rng(3)
    texts = [random_ids(rng, n) for n in (1, 2, 9, 60)]
    encoder = backend.load(tiny, POOLED, device=device, dtype="float32")
    tokens = encoder.encode([whole(ids) for ids in texts]).tokens
    assert tokens.cu_seqlens.tolist() == [0, 0, 1, 5, 35]
    pooled = [pool_rows(to_unit(stock(ids)[1:]), 2) for ids in texts]
    expected = np.concatenate([one.rows for one in pooled])
    positions = np.concatenate([one.members for one in pooled]) + 1
    assert (tokens.positions == positions).mean() > 0.9  # near ties may fall either way
    assert (cosines(token_rows(tokens), expected) > 0.999).mean() > 0.9


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_neighbours_in_a_call_never_change_a_pooled_vector(
    target, tiny, dim, encoding
) -> None:
    backend, device = target
    recipe = replace(POOLED, token_encoding=encoding)
    encoder = backend.load(tiny, recipe, device=device, max_batch_tokens=512)
    rng = np.random.default_rng(4)
    windows = [whole(random_ids(rng, n)) for n in rng.integers(2, 250, 12)]
    assert_same_alone(encoder, windows, exact=device == "cpu")


def test_each_chunk_of_a_window_and_each_piece_of_a_chunk_is_pooled_by_itself(
    target, tiny
) -> None:
    backend, device = target
    encoder = backend.load(tiny, POOLED, device=device, dtype="float32")
    ids = random_ids(np.random.default_rng(5), 40)
    windows = [
        window_of(ids, (0, 10), (10, 30)),
        window_of(ids[:6], (0, 6), continues=True),
    ]
    tokens = encoder.encode(windows).tokens
    assert tokens.cu_seqlens.tolist() == [0, 5, 5 + 10 + 3]
    assert tokens.positions[:5].max() < 10
    assert tokens.positions[15:].max() < 6


def test_a_query_keeps_all_its_rows(target, tiny) -> None:
    backend, device = target
    query = replace(whole(random_ids(np.random.default_rng(6), 12)), kind="query")
    plain, pooled = (
        backend.load(tiny, recipe, device=device, dtype="float32").encode([query])
        for recipe in (INT8, POOLED)
    )
    assert np.array_equal(pooled.tokens.codes, plain.tokens.codes)
    assert np.array_equal(pooled.tokens.positions, plain.tokens.positions)
