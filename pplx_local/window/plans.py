"""The chunks of a document, or a query, into plans; plans into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pplx_local.records import WindowPlan
from pplx_local.window.alone import plan_alone
from pplx_local.window.rule import TextTokenizer, WindowRule
from pplx_local.window.together import plan_together

MOST_QUERY_TOKENS = 256
"""Tokens of a query that are read: MaxSim takes as long as there are tokens, and a
thousand words, seconds."""


def plan(
    texts: Sequence[str],
    tokenizer: TextTokenizer,
    rule: WindowRule,
    owned: range | None = None,
    headings: Sequence[str] | None = None,
) -> list[WindowPlan]:
    """Lay out the chunks of one document, or of a portion of one.

    Args:
        texts: The chunks' texts, in order.
        tokenizer: The checkpoint's.
        rule: The checkpoint's.
        owned: Consecutive indices of the texts that are to be encoded; windows may read
            the others too, as context. None for all.
        headings: What stands above each text, for a rule that reads it; None for
            nothing.

    Returns:
        Plans in the order of the text. Every owned chunk that has tokens is owned by
        exactly one; a chunk without tokens is in none.
    """
    owned = range(len(texts)) if owned is None else owned
    chunks = [(i, ids) for i, ids in enumerate(tokenizer.ids(texts)) if len(ids)]
    if rule.kind == "single":
        above = tokenizer.ids(headings) if headings else [None] * len(texts)
        return [
            plan_alone(i, ids, rule, heading=above[i])
            for i, ids in chunks
            if i in owned
        ]
    plans: list[WindowPlan] = []
    for too_long, run in groupby(chunks, lambda c: len(c[1]) > rule.limit):
        if too_long:
            plans.extend(plan_alone(i, ids, rule) for i, ids in run if i in owned)
        else:
            plans.extend(plan_together(list(run), owned, rule))
    return plans


def plan_query(
    text: str, tokenizer: TextTokenizer, rule: WindowRule
) -> WindowPlan | None:
    """Lay out the beginning of a query, expanded where the checkpoint wants it.

    Returns:
        None for a query without tokens.
    """
    (ids,) = tokenizer.ids([text])
    read = ids[:MOST_QUERY_TOKENS]
    return plan_alone(0, read, rule, kind="query") if len(read) else None


def batches(plans: Sequence[WindowPlan], max_tokens: int) -> Iterator[list[int]]:
    """Group plans, by index and in order, into batches of at most `max_tokens`.

    A plan is never split: one that is longer is a batch of its own.
    """
    batch: list[int] = []
    n_tokens = 0
    for index, one in enumerate(plans):
        if batch and n_tokens + one.n_tokens > max_tokens:
            yield batch
            batch, n_tokens = [], 0
        batch.append(index)
        n_tokens += one.n_tokens
    if batch:
        yield batch
