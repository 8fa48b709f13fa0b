"""MaxSim of every backend against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from targets import target
from vectors import random_docs, random_query

from pplx_local import reference

__all__ = ["target"]


@pytest.mark.parametrize("encoding", ["int8", "bits"])
@pytest.mark.parametrize("dim", [8, 24, 104, 128, 384])
@pytest.mark.parametrize(
    "lengths", [[1], [3, 1, 7], [0, 5], [33, 300, 2], [0, 0], [], [5000, 0, 4000, 9]]
)
@pytest.mark.parametrize("n_query", [0, 1, 5, 32])
def test_maxsim_is_the_reference(target, encoding, dim, lengths, n_query) -> None:
    backend, _ = target
    rng = np.random.default_rng(dim + n_query)
    docs, query = (
        random_docs(rng, lengths, dim, encoding),
        random_query(rng, n_query, dim),
    )
    expected = reference.maxsim(query, docs, want_matches=True)
    got = backend.maxsim(query, docs, want_matches=True)
    assert got.values.dtype == np.float32
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-5)
    np.testing.assert_array_equal(got.matches, expected.matches)
    assert backend.maxsim(query, docs).matches is None


def test_a_chunk_of_opposites_keeps_its_negative_score(target) -> None:
    backend, _ = target
    rng = np.random.default_rng(0)
    query = random_query(rng, 1, 16)
    opposite = -np.repeat(query.codes, 3, axis=0).astype(np.float32)
    cu_seqlens = np.array([0, 3, 3], dtype=np.int32)
    for encoding in ("int8", "bits"):
        docs = reference.quantize_tokens(
            opposite, cu_seqlens, np.zeros(3, np.int32), encoding
        )
        values = backend.maxsim(query, docs).values
        assert -1.01 <= values[0] < -0.5
        assert values[1] == -np.inf


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_resident_codes_score_like_the_others(target, encoding) -> None:
    backend, _ = target
    rng = np.random.default_rng(7)
    docs, query = (
        random_docs(rng, [4, 0, 9, 2, 40], 64, encoding),
        random_query(rng, 6, 64),
    )
    everything = reference.maxsim(query, docs).values
    resident = backend.resident(docs)
    for chunks in ([0, 1, 2, 3, 4], [4, 2], [1], [], [3, 3]):
        np.testing.assert_allclose(
            resident.maxsim(query, chunks).values, everything[chunks], rtol=1e-5
        )


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_the_best_of_resident_codes_are_the_references(target, encoding) -> None:
    backend, device = target
    rng = np.random.default_rng(3)
    docs, query = (
        random_docs(rng, [4, 0, 9, 2, 40], 64, encoding),
        random_query(rng, 6, 64),
    )
    values = reference.maxsim(query, docs).values
    resident = backend.resident(docs, device=device)
    for k in (1, 3, 9):
        best = resident.best(query, k)
        assert best.chunks.tolist() == np.argsort(-values)[: min(k, 4)].tolist()
        np.testing.assert_allclose(best.values, values[best.chunks], rtol=1e-5)
    assert (
        len(backend.resident(random_docs(rng, [0], 64, encoding)).best(query, 3).chunks)
        == 0
    )


def test_a_device_tells_what_it_has_left(target) -> None:
    backend, device = target
    assert 1 << 20 < backend.free_bytes(device) < 1 << 50
