"""How much is read, estimated from lengths alone, beside what windows really read."""

from __future__ import annotations

import random

import pytest
from fakes import WordTokenizer, fake_checkpoint

from pplx_local import window
from pplx_local.index.cost import tokens_read
from pplx_local.index.lanes import CHARS_PER_TOKEN
from pplx_local.models import Checkpoint
from pplx_local.window import WindowRule

SINGLE = fake_checkpoint()
LONG = 30_000
"""Words of a document that no window holds."""


def contextual(limit: int) -> Checkpoint:
    return fake_checkpoint(window_rule=WindowRule("context", limit, separator_id=1))


def length(n_words: int) -> float:
    """The characters of so many words, each of which is one token."""
    return n_words * CHARS_PER_TOKEN


def really_read(checkpoint: Checkpoint, n_words: int) -> int:
    chance = random.Random(n_words)
    texts = []
    while n_words > 0:
        n = min(n_words, chance.randrange(120, 360))
        texts.append(" ".join(f"w{chance.randrange(5_000)}" for _ in range(n)))
        n_words -= n
    plans = window.plan(texts, WordTokenizer(), checkpoint.window_rule)
    return sum(plan.n_tokens for plan in plans)


@pytest.mark.parametrize("limit", [2_048, 4_096, 8_192])
def test_the_estimate_is_near_what_windows_read(limit: int) -> None:
    checkpoint = contextual(limit)
    estimate = tokens_read(checkpoint, [length(LONG)])
    assert estimate > 1.25 * LONG
    assert estimate == pytest.approx(really_read(checkpoint, LONG), rel=0.06)


def test_what_fits_into_a_window_is_read_once() -> None:
    short = [length(n) for n in (10, 500, 8_000)]
    assert tokens_read(contextual(8_192), short) == pytest.approx(8_510, abs=1)
    mixed = tokens_read(contextual(8_192), [*short, length(LONG)])
    alone = tokens_read(contextual(8_192), [length(LONG)])
    assert mixed == pytest.approx(alone + 8_510, abs=1)


def test_chunks_that_are_read_alone_are_read_once() -> None:
    assert tokens_read(SINGLE, [length(LONG)]) == pytest.approx(LONG, abs=1)


def test_windows_too_small_to_share_a_chunk_read_nothing_twice() -> None:
    assert tokens_read(contextual(256), [length(LONG)]) == pytest.approx(LONG, abs=1)
