from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pplx_local.models import STARTER, find, load_tokenizer
from pplx_local.records import Span, WindowPlan
from pplx_local.window import (
    Ids,
    TextTokenizer,
    WindowRule,
    batches,
    plan,
    plan_query,
)

SEPARATOR = 1


class LetterTokenizer:
    """A token for each letter that is no blank: its code point."""

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        return [
            np.array([ord(c) for c in text if not c.isspace()], dtype=np.int32)
            for text in texts
        ]

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        return [
            [Span(i, i + 1) for i, c in enumerate(text) if not c.isspace()]
            for text in texts
        ]


LETTERS = LetterTokenizer()
BERT = WindowRule("single", 16, prefix_ids=(2,), suffix_ids=(3,), pool_specials=True)
DENSE = WindowRule("single", 16, keep_tokens=False)
CONTEXT = WindowRule("context", 40, separator_id=SEPARATOR, keep_tokens=False)
LATE = WindowRule(
    "single",
    16,
    prefix_ids=(5,),
    pool_specials=True,
    keep_specials=True,
    skip_ids=frozenset([ord("."), ord(",")]),
    query_prefix_ids=(4,),
    query_length=8,
    expansion_id=6,
)
RULES = {
    "bert": BERT,
    "dense": DENSE,
    "late": LATE,
    "late, prefix second": replace(LATE, prefix_position=1),
    "context": CONTEXT,
    "context with tokens": replace(CONTEXT, keep_tokens=True),
}
chunk_texts = st.lists(
    st.text(st.sampled_from("ab., \u0301\u200b漢"), max_size=60), max_size=25
)


@pytest.fixture(scope="module")
def starter() -> TextTokenizer:
    folder = find(STARTER)
    if folder is None:
        pytest.skip("the starter is not installed")
    return load_tokenizer(folder)


def check(texts: list[str], tokenizer: TextTokenizer, rule: WindowRule) -> None:
    """Hold plans to all that they promise."""
    plans = plan(texts, tokenizer, rule)
    ids = tokenizer.ids(texts)
    owned = [index for one in plans for index in one.chunk_indices]
    assert owned == [i for i in range(len(texts)) if len(ids[i])]
    for one in plans:
        read = pooled_tokens(one)
        assert len(read) == len(one.chunk_indices)
        for index, (tokens, positions) in zip(one.chunk_indices, read, strict=True):
            assert np.array_equal(tokens, ids[index])
            assert np.array_equal(positions, np.arange(len(tokens)))
        check_windows(one, rule)


def pooled_tokens(one: WindowPlan) -> list[tuple[Ids, Ids]]:
    """Gather the text tokens of each pool span, continued ones joined."""
    found: list[tuple[Ids, Ids]] = []
    for window in one.windows:
        for number, span in enumerate(window.pool_spans):
            tokens = window.token_ids[slice(*span)]
            positions = window.positions[slice(*span)]
            tokens, positions = tokens[positions >= 0], positions[positions >= 0]
            if window.continues and number == 0:
                before = found.pop()
                tokens = np.concatenate((before[0], tokens))
                positions = np.concatenate((before[1], positions))
            found.append((tokens, positions))
    return found


def check_windows(one: WindowPlan, rule: WindowRule) -> None:
    assert [w.continues for w in one.windows] == [
        i > 0 for i in range(len(one.windows))
    ]
    for window in one.windows:
        n_tokens = len(window.token_ids)
        assert 0 < n_tokens <= rule.limit
        assert window.token_ids.dtype == window.positions.dtype == np.int32
        assert window.keep.shape == window.positions.shape == (n_tokens,)
        inside = np.zeros(n_tokens, dtype=int)
        for span in window.pool_spans:
            assert 0 <= span.start < span.end <= n_tokens
            inside[slice(*span)] += 1
        assert window.pool_spans
        assert inside.max() == 1
        assert not (window.keep & (inside == 0)).any()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
@settings(deadline=None)
@given(texts=chunk_texts)
@example(texts=[])
@example(texts=["", " ", "\u200b"])
@example(texts=["a" * 1_000])
@example(texts=["a" * 39, "b" * 40, "c" * 41, "d"])
def test_every_chunk_with_tokens_has_one_owner(
    texts: list[str], rule: WindowRule
) -> None:
    check(texts, LETTERS, rule)


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=6))
@example(texts=["x" * 1_000_000])
@example(texts=["word " * 3_000, "\u0301" * 5_000, "\u200b", "漢字" * 1_000])
@example(texts=["[CLS] [SEP] [PAD] [MASK] [UNK] <|endoftext|>"])
@example(texts=["\ud800 lone \udfff"])
def test_the_starter_drops_nothing(starter: TextTokenizer, texts: list[str]) -> None:
    check(texts, starter, STARTER.window_rule)
    for text, ids, spans in zip(
        texts, starter.ids(texts), starter.spans(texts), strict=True
    ):
        assert len(ids) == len(spans)
        assert all(0 <= start <= end <= len(text) for start, end in spans)


def test_special_tokens_in_a_text_are_text(starter: TextTokenizer) -> None:
    (ids,) = starter.ids(["[CLS] is [SEP] and [MASK]"])
    assert not set(ids.tolist()) & {0, 100, 101, 102, 103}


def test_the_starter_reads_as_its_makers_meant(starter: TextTokenizer) -> None:
    (one,) = plan(["Hello world"], starter, STARTER.window_rule)
    (window,) = one.windows
    assert window.token_ids.tolist() == [101, 7592, 2088, 102]
    assert window.pool_spans == (Span(0, 4),)
    assert window.keep.tolist() == [False, True, True, False]
    assert window.positions.tolist() == [-1, 0, 1, -1]


def test_a_long_chunk_is_read_in_nearly_equal_pieces() -> None:
    (one,) = plan(["a" * 29], LETTERS, BERT)
    assert [len(w.token_ids) - 2 for w in one.windows] == [10, 10, 9]
    assert [w.continues for w in one.windows] == [False, True, True]
    assert one.chunk_indices == (0,)


def test_punctuation_is_read_but_gives_no_token_vector() -> None:
    (one,) = plan(["a.b,c"], LETTERS, LATE)
    assert one.windows[0].keep.tolist() == [True, True, False, True, False, True]


def test_the_prefix_may_come_after_the_first_token() -> None:
    rule = replace(LATE, prefix_position=1)
    (one,) = plan(["abc"], LETTERS, rule)
    assert one.windows[0].token_ids.tolist() == [ord("a"), 5, ord("b"), ord("c")]
    assert one.windows[0].positions.tolist() == [0, -1, 1, 2]


def test_a_short_query_is_expanded_and_keeps_all_of_it() -> None:
    one = plan_query("a.b", LETTERS, LATE)
    assert one is not None
    (window,) = one.windows
    assert window.token_ids.tolist() == [4, ord("a"), ord("."), ord("b"), 6, 6, 6, 6]
    assert window.keep.all()
    assert window.positions.tolist() == [-1, 0, 1, 2, -1, -1, -1, -1]
    assert window.kind == "query"


def test_a_long_query_is_read_in_pieces() -> None:
    one = plan_query("a" * 40, LETTERS, LATE)
    assert one is not None
    assert sum(int((w.positions >= 0).sum()) for w in one.windows) == 40
    assert all(len(w.token_ids) <= LATE.limit for w in one.windows)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_query_without_tokens_has_no_plan(rule: WindowRule) -> None:
    assert plan_query(" \n", LETTERS, rule) is None


def test_chunks_are_joined_by_the_separator() -> None:
    (one,) = plan(["ab", " ", "c"], LETTERS, CONTEXT)
    (window,) = one.windows
    assert window.token_ids.tolist() == [ord("a"), ord("b"), SEPARATOR, ord("c")]
    assert window.pool_spans == (Span(0, 2), Span(3, 4))
    assert window.positions.tolist() == [0, 1, -1, 0]
    assert one.chunk_indices == (0, 2)


def test_a_document_that_fits_is_one_window() -> None:
    assert len(plan(["a" * 20, "b" * 19], LETTERS, CONTEXT)) == 1
    assert len(plan(["a" * 20, "b" * 20], LETTERS, CONTEXT)) == 2


def test_a_long_document_is_read_in_windows_that_overlap() -> None:
    plans = plan(["abc"] * 40, LETTERS, CONTEXT)
    read = [len(one.windows[0].token_ids) for one in plans]
    assert len(plans) > 4
    assert 1.1 < sum(read) / (40 * 4) < 1.3
    # Ten chunks fit in a window; of the two that are shared each side owns one.
    assert [len(one.chunk_indices) for one in plans] == [9, 8, 8, 8, 7]
    for one in plans[1:]:
        assert one.windows[0].pool_spans[0].start > 0


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_each_chunk_is_owned_where_it_lies_furthest_from_an_edge(
    lengths: list[int],
) -> None:
    texts = [chr(0x4E00 + i) * length for i, length in enumerate(lengths)]
    plans = plan(texts, LETTERS, CONTEXT)
    n_chunks = len(texts)

    def distance(one: WindowPlan, chunk: int) -> float:
        ids = one.windows[0].token_ids
        if ord(texts[chunk][0]) not in ids:
            return -1
        (where,) = np.nonzero(ids == ord(texts[chunk][0]))
        before = float(where[0]) if ids[0] != 0x4E00 else np.inf
        after = len(ids) - 1.0 - where[-1]
        return min(before, after if ids[-1] != 0x4E00 + n_chunks - 1 else np.inf)

    for one in plans:
        for chunk in one.chunk_indices:
            best = max(distance(other, chunk) for other in plans)
            assert distance(one, chunk) == best


def test_a_digest_tells_windows_apart_and_nothing_else() -> None:
    def digests(texts: list[str], rule: WindowRule) -> list[bytes]:
        return [one.digest for one in plan(texts, LETTERS, rule)]

    first, second, again = digests(["ab", "ba", "ab"], BERT)
    assert first == again != second
    assert len(first) == 16
    assert digests(["ab"], replace(BERT, keep_tokens=False)) != [first]
    assert digests(["ab"], replace(BERT, pool_specials=False)) != [first]
    assert digests(["a", "bc"], CONTEXT) != digests(["ab", "c"], CONTEXT)


def test_an_edit_changes_only_its_own_window() -> None:
    texts = [f"chunk {i}" for i in range(50)]
    before = {one.digest for one in plan(texts, LETTERS, BERT)}
    texts[20] = "edited"
    after = {one.digest for one in plan(texts, LETTERS, BERT)}
    assert len(after - before) == 1


@settings(deadline=None)
@given(texts=chunk_texts, budget=st.integers(1, 200))
def test_batches_keep_order_and_budget(texts: list[str], budget: int) -> None:
    plans = plan(texts, LETTERS, BERT)
    found = list(batches(plans, budget))
    assert [index for batch in found for index in batch] == list(range(len(plans)))
    for batch in found:
        assert batch
        n_tokens = sum(plans[index].n_tokens for index in batch)
        assert n_tokens <= budget or len(batch) == 1
    for batch, following in pairwise(found):
        n_tokens = sum(plans[index].n_tokens for index in [*batch, following[0]])
        assert n_tokens > budget


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "single", "limit": 2, "prefix_ids": (1,), "suffix_ids": (2,)},
        {"kind": "context", "limit": 9},
        {"kind": "context", "limit": 9, "separator_id": 1, "prefix_ids": (1,)},
        {"kind": "single", "limit": 9, "keep_specials": True},
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"room|separator|special|pool span"):
        WindowRule(**fields)  # type: ignore[arg-type]


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
