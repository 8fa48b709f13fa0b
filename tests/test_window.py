from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from letters import LETTERS, check

from pplx_local.models import STARTER, find, load_tokenizer
from pplx_local.records import Span
from pplx_local.window import (
    MOST_QUERY_TOKENS,
    TextTokenizer,
    WindowRule,
    batches,
    plan,
    plan_query,
)

SEPARATOR = 1


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


def test_of_a_long_query_the_beginning_is_read() -> None:
    one = plan_query("a" * 1_000, LETTERS, LATE)
    assert one is not None
    n_tokens = sum(int((w.positions >= 0).sum()) for w in one.windows)
    assert n_tokens == MOST_QUERY_TOKENS


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


def test_a_heading_is_read_in_front_and_gives_no_token_vector() -> None:
    rule = replace(BERT, heading_tokens=3)
    (one,) = plan(["abc"], LETTERS, rule, headings=["Title. "])
    (window,) = one.windows
    assert LETTERS.ids(["Tit"])[0].tolist() == window.token_ids[1:4].tolist()
    assert window.positions.tolist() == [-1] * 4 + [0, 1, 2, -1]
    assert window.keep.tolist() == [False] * 4 + [True] * 3 + [False]
    assert window.pool_spans == (Span(0, 8),)


def test_a_long_chunk_has_its_heading_in_front_of_each_piece() -> None:
    rule = replace(BERT, heading_tokens=4)
    (one,) = plan(["x" * 25], LETTERS, rule, headings=["Head"])
    head = LETTERS.ids(["Head"])[0].tolist()
    assert [w.token_ids[1:5].tolist() for w in one.windows] == [head] * 3
    assert all(len(w.token_ids) <= rule.limit for w in one.windows)


def test_a_rule_without_headings_reads_none() -> None:
    (with_heading,) = plan(["abc"], LETTERS, BERT, headings=["T"])
    (without,) = plan(["abc"], LETTERS, BERT)
    assert with_heading.digest == without.digest
