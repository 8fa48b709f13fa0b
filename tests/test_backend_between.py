"""Encoding that is interrupted: what comes between, and how much is taken at once."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from targets import INT8, dim, random_ids, target, tiny, whole

from pplx_local.backend.batching import LEAST_BATCH_TOKENS, Pace
from pplx_local.records import Encoded

__all__ = ["dim", "target", "tiny"]


def same(a: Encoded, b: Encoded) -> bool:
    return np.array_equal(a.dense.codes, b.dense.codes) and np.array_equal(
        a.tokens.codes, b.tokens.codes
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_query_in_the_midst_of_documents_changes_neither(
    target, tiny, dim, dtype
) -> None:
    backend, device = target
    recipe = replace(INT8, token_encoding="bits")
    encoder = backend.load(
        tiny, recipe, device=device, dtype=dtype, max_batch_tokens=128
    )
    rng = np.random.default_rng(14)
    windows = [whole(random_ids(rng, n)) for n in rng.integers(1, 120, 25)]
    query = replace(whole(random_ids(rng, 9)), kind="query")
    documents_alone, query_alone = encoder.encode(windows), encoder.encode([query])
    queries: list[Encoded] = []
    encoded = encoder.encode(
        windows, between=lambda: queries.append(encoder.encode([query]))
    )
    assert len(queries) >= sum(len(window.token_ids) for window in windows) // 128
    if device == "cpu":
        assert same(encoded, documents_alone)
        assert all(same(one, query_alone) for one in queries)
    assert encoded.tokens.encoding == "bits"
    assert {one.tokens.encoding for one in queries} == {"int8"}


# --- the pace ---


def test_a_fast_machine_takes_as_much_at_once_as_it_may() -> None:
    pace = Pace(16_384, pass_s=0.05)
    for _ in range(10):
        pace.note(pace.tokens, pace.tokens / 1e6)
    assert pace.tokens == 16_384


def test_a_slow_machine_takes_as_little_as_is_of_use() -> None:
    slow, steady = Pace(16_384, pass_s=0.05), Pace(16_384, least=512, pass_s=0.05)
    for _ in range(10):
        slow.note(slow.tokens, slow.tokens / 100)
        steady.note(steady.tokens, steady.tokens / 100)
    assert (slow.tokens, steady.tokens) == (LEAST_BATCH_TOKENS, 512)


def test_passes_come_to_take_their_time() -> None:
    pace = Pace(16_384, pass_s=0.05)
    for tokens_per_s in (100_000, 20_000, 60_000):
        for _ in range(10):
            pace.note(pace.tokens, pace.tokens / tokens_per_s)
        assert pace.tokens == pytest.approx(0.05 * tokens_per_s, rel=0.01)


def test_one_slow_pass_halves_and_a_small_one_tells_nothing() -> None:
    pace = Pace(16_384, pass_s=0.05)
    before = pace.tokens
    pace.note(before // 2 - 1, 100.0)
    assert pace.tokens == before
    pace.note(before, 100.0)
    assert pace.tokens == before // 2


def test_what_comes_between_is_not_the_passes_time() -> None:
    pace = Pace(16_384, pass_s=0.05)
    before = pace.tokens
    between = pace.apart(lambda: time.sleep(0.1))
    with pace.timed(before):
        between()
    assert pace.tokens > before
    assert pace.apart(None) is None


def test_a_bound_that_memory_has_set_stays() -> None:
    pace = Pace(4_096, least=512, pass_s=0.05)
    for _ in range(4):
        pace.take_less()
    assert pace.tokens == 256
    pace.note(256, 0.001)
    assert pace.tokens == 256
