"""A tokenizer that can be read by eye, and what plans promise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pplx_local.records import Span, WindowPlan
from pplx_local.window import Ids, TextTokenizer, WindowRule, plan


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


def check(
    texts: Sequence[str],
    tokenizer: TextTokenizer,
    rule: WindowRule,
    owned: range | None = None,
) -> None:
    """Hold plans to all that they promise."""
    plans = plan(texts, tokenizer, rule, owned)
    ids = tokenizer.ids(texts)
    numbers = range(len(texts)) if owned is None else owned
    assert [index for one in plans for index in one.chunk_indices] == [
        i for i in numbers if len(ids[i])
    ]
    for one in plans:
        read = pooled_tokens(one)
        assert len(read) == len(one.chunk_indices)
        for index, (tokens, positions) in zip(one.chunk_indices, read, strict=True):
            assert np.array_equal(tokens, ids[index])
            assert np.array_equal(positions, np.arange(len(tokens)))
        check_windows(one, rule)
        if rule.kind == "context":
            check_joined(one, ids, rule)


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


def check_joined(one: WindowPlan, ids: list[Ids], rule: WindowRule) -> None:
    """A window holds whole chunks, one after the other, and separators between them."""
    if len(ids[one.chunk_indices[0]]) > rule.limit:
        return
    (window,) = one.windows
    numbers = [i for i in chunks_read(one, ids) if len(ids[i])]
    joined = [token for i in numbers for token in (*ids[i], rule.separator_id)][:-1]
    assert window.token_ids.tolist() == joined
    for span in window.pool_spans:
        assert (window.positions[slice(*span)] >= 0).all()


def chunks_read(one: WindowPlan, ids: list[Ids]) -> range:
    """The chunks that a window joins, its context with them."""
    (window,) = one.windows
    before, after = window.pool_spans[0].start, window.pool_spans[-1].end
    first, last = one.chunk_indices[0], one.chunk_indices[-1]
    after = len(window.token_ids) - after
    while before > 0:
        first -= 1
        before -= len(ids[first]) + (len(ids[first]) > 0)
    while after > 0:
        last += 1
        after -= len(ids[last]) + (len(ids[last]) > 0)
    return range(first, last + 1)
