"""Chunks that are read together: whole, within the limit, found again after an edit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from letters import LETTERS, LetterTokenizer, check, chunks_read
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from pplx_local.models import load_tokenizer
from pplx_local.records import Span, WindowPlan
from pplx_local.window import Ids, WindowRule, plan

SEPARATOR = 1
CONTEXT = WindowRule("context", 40, separator_id=SEPARATOR, keep_tokens=False)

lengths_of_chunks = st.lists(st.integers(0, 45), max_size=40)


def texts_of(lengths: Sequence[int]) -> list[str]:
    """Chunks of these lengths; each is another letter again and again."""
    return [chr(0x4E00 + i) * length for i, length in enumerate(lengths)]


def book(n_chunks: int, seed: int = 0) -> list[str]:
    """Chunks of 20 to 40 tokens, no two alike."""
    chance = random.Random(seed)
    return [
        "".join(chr(chance.randrange(0x4E00, 0x9000)) for _ in range(n_tokens))
        for n_tokens in (chance.randrange(20, 40) for _ in range(n_chunks))
    ]


def n_shared(one: WindowPlan, other: WindowPlan, ids: list[Ids]) -> int:
    """Tokens that both windows read, each chunk's separator counted."""
    both = set(chunks_read(one, ids)) & set(chunks_read(other, ids))
    return sum(len(ids[i]) + 1 for i in both if len(ids[i]))


def test_chunks_are_joined_by_the_separator() -> None:
    (one,) = plan(["ab", " ", "c"], LETTERS, CONTEXT)
    (window,) = one.windows
    assert window.token_ids.tolist() == [ord("a"), ord("b"), SEPARATOR, ord("c")]
    assert window.pool_spans == (Span(0, 2), Span(3, 4))
    assert window.positions.tolist() == [0, 1, -1, 0]
    assert one.chunk_indices == (0, 2)


@settings(deadline=None)
@given(lengths_of_chunks, st.integers(2, 50), st.sampled_from([0.0, 0.25, 0.5, 0.9]))
@example([0, 0, 45, 0, 45, 1], 40, 0.25)
@example([30, 1, 30, 1, 30], 32, 0.9)
@example([2] * 40, 2, 0.25)
def test_any_document_is_read_whole(
    lengths: list[int], limit: int, overlap: float
) -> None:
    rule = replace(CONTEXT, limit=limit, overlap=overlap)
    check(texts_of(lengths), LETTERS, rule)


@settings(deadline=None)
@given(lengths_of_chunks, st.integers(0, 40), st.integers(0, 40))
def test_a_portion_owns_its_own_chunks_only(
    lengths: list[int], start: int, n_owned: int
) -> None:
    start = min(start, len(lengths))
    owned = range(start, min(start + n_owned, len(lengths)))
    check(texts_of(lengths), LETTERS, CONTEXT, owned)


def test_a_portion_reads_beyond_its_ends() -> None:
    texts = book(40)
    rule = replace(CONTEXT, limit=1_000)
    plans = plan(texts, LETTERS, rule, range(15, 25))
    read = [index for one in plans for index in chunks_read(one, LETTERS.ids(texts))]
    assert min(read) in (10, 11, 12)
    assert max(read) in (26, 27, 28)


def test_a_document_that_fits_is_one_window() -> None:
    assert len(plan(["a" * 20, "b" * 19], LETTERS, CONTEXT)) == 1
    assert len(plan(["a" * 20, "b" * 20], LETTERS, CONTEXT)) == 2


def test_a_window_of_32768_tokens() -> None:
    texts = [one * 8 for one in book(400)]
    rule = replace(CONTEXT, limit=32_768)
    check(texts, LETTERS, rule)
    sizes = [one.n_tokens for one in plan(texts, LETTERS, rule)]
    assert len(sizes) in range(3, 6)
    assert max(sizes) > 20_000


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), max_size=40))
def test_neighbours_share_at_most_the_overlap(lengths: list[int]) -> None:
    ids = LETTERS.ids(texts_of(lengths))
    plans = plan(texts_of(lengths), LETTERS, CONTEXT)
    for one, following in pairwise(plans):
        assert n_shared(one, following, ids) <= 40 * 0.25


def test_neighbours_share_about_the_overlap_half_on_each_side() -> None:
    rule = replace(CONTEXT, limit=1_000)
    plans = plan(book(300), LETTERS, rule)
    before = [one.windows[0].pool_spans[0].start for one in plans[1:]]
    after = [one.n_tokens - one.windows[0].pool_spans[-1].end for one in plans[:-1]]
    assert 110 < np.mean(before) < 140
    assert 95 < np.mean(after) < 125
    assert all(
        65 < n < 185 and n + m <= 250 for n, m in zip(before, after, strict=True)
    )


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_each_chunk_is_owned_about_where_it_lies_furthest_from_an_edge(
    lengths: list[int],
) -> None:
    ids = LETTERS.ids(texts_of(lengths))
    plans = plan(texts_of(lengths), LETTERS, CONTEXT)
    last = len(lengths) - 1

    def distance(one: WindowPlan, chunk: int) -> float:
        read = chunks_read(one, ids)
        if chunk not in read:
            return -1
        before = sum(lengths[i] + 1 for i in range(read[0], chunk))
        after = sum(lengths[i] + 1 for i in range(chunk + 1, read[-1] + 1))
        return min(before if read[0] else np.inf, after if read[-1] < last else np.inf)

    for one in plans:
        for chunk in one.chunk_indices:
            best = max(distance(other, chunk) for other in plans)
            assert distance(one, chunk) >= best - 2 * (max(lengths) + 1)


# --- after an edit ---


def digests(texts: list[str], rule: WindowRule) -> list[bytes]:
    return [one.digest for one in plan(texts, LETTERS, rule)]


@pytest.mark.parametrize("n_inserted", [0, 1, 17])
@pytest.mark.parametrize("n_deleted", [0, 1, 17])
def test_after_an_edit_windows_fall_into_step_again(
    n_inserted: int, n_deleted: int
) -> None:
    rule = replace(CONTEXT, limit=1_000)
    texts = book(400)
    known = digests(texts, rule)
    assert len(known) > 15
    new = []
    for place in range(0, 380, 20):
        inserted = book(n_inserted, seed=place + 1)
        edited = [*texts[:place], *inserted, *texts[place + n_deleted :]]
        new.append(len(set(digests(edited, rule)) - set(known)))
    n_edited = n_inserted + n_deleted
    assert min(new) >= (n_edited > 0)
    assert np.mean(new) <= (0, 2.5, 4.5)[(n_edited > 0) + (n_edited > 2)]


def test_the_same_passage_in_two_documents_gives_equal_windows() -> None:
    rule = replace(CONTEXT, limit=1_000)
    passage = book(400)
    one = digests([*book(33, seed=1), *passage], rule)
    other = digests([*book(70, seed=2), *passage, *book(9, seed=3)], rule)
    assert len(set(one) & set(other)) > 0.7 * len(digests(passage, rule))


# --- what only looks like a separator ---


def test_tokens_equal_to_the_separator_make_no_chunk() -> None:
    separator = chr(SEPARATOR)
    (one,) = plan([f"a{separator}b", separator, "c"], LETTERS, CONTEXT)
    (window,) = one.windows
    assert window.pool_spans == (Span(0, 3), Span(4, 5), Span(6, 7))
    assert one.chunk_indices == (0, 1, 2)


@pytest.fixture
def padded_tokenizer(tmp_path: Path) -> tuple[Path, int]:
    """A byte-level tokenizer that joins and pads with the same special token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    separator = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.enable_padding(pad_id=separator, pad_token="<|endoftext|>", length=64)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path, separator


@pytest.mark.parametrize("joined_first", [True, False])
def test_a_separator_in_the_text_and_as_padding_makes_no_chunk(
    padded_tokenizer: tuple[Path, int], joined_first: bool
) -> None:
    folder, separator = padded_tokenizer
    rule = WindowRule("context", 200, separator_id=separator, keep_tokens=False)
    tokenizer = load_tokenizer(folder)
    texts = ["one<|endoftext|>two", "<|endoftext|>", "three"]
    texts = texts if joined_first else texts[::-1]
    check(texts, tokenizer, rule)
    (one,) = plan(texts, tokenizer, rule)
    assert one.chunk_indices == (0, 1, 2)
    assert (one.windows[0].token_ids == separator).sum() == 2
    assert one.n_tokens == sum(map(len, texts)) + 2


def test_shared_golden_ids_of_a_context_document() -> None:
    """Joined one by one, chunks give the ids of the joined text."""
    ids = [[16704, 32179, 13], [2121, 582, 13], [50565, 13]]

    class Canned(LetterTokenizer):
        def ids(self, texts: Sequence[str]) -> list[Ids]:
            return [np.array(ids[int(text)], dtype=np.int32) for text in texts]

    rule = WindowRule("context", 8_192, separator_id=151_643, keep_tokens=False)
    (one,) = plan(["0", "1", "2"], Canned(), rule)
    joined = [*ids[0], 151_643, *ids[1], 151_643, *ids[2]]
    assert one.windows[0].token_ids.tolist() == joined
