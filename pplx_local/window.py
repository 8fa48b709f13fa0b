"""Chunks and a tokenizer to token windows: what one forward pass reads and owns.

No text is ever cut off. A chunk that is longer than a checkpoint's limit is read in
pieces; a document that is longer is read in windows that overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Span, TokenWindow, WindowPlan

Ids = NDArray[np.int32]


class TextTokenizer(Protocol):
    """A tokenizer that adds nothing of its own and cuts nothing off."""

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Tokenise each text by itself: one (T,) int32 each.

        What looks like a special token is ordinary text.
        """
        ...

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """Give the characters that each token of each text stands for."""
        ...


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How a checkpoint wants its input laid out."""

    kind: Literal["single", "context"]
    """"single": a chunk is a window. "context": a document's chunks are read together,
    joined by `separator_id`."""
    limit: int
    """Tokens in a window at most, those that we add counted."""
    prefix_ids: tuple[int, ...] = ()
    suffix_ids: tuple[int, ...] = ()
    prefix_position: int = 0
    """How many tokens of the text come before the prefix."""
    pool_specials: bool = False
    """Whether the dense vector averages prefix, suffix and expansion too."""
    keep_tokens: bool = True
    """Whether token vectors are wanted at all."""
    keep_specials: bool = False
    """Whether prefix, suffix and expansion give token vectors too; only together with
    `pool_specials`, because what is kept lies in a pool span."""
    skip_ids: frozenset[int] = frozenset()
    """Tokens of a document that are read and give no token vector: punctuation."""
    separator_id: int | None = None
    overlap: float = 0.25
    """Share of a context window that the next one may read again."""
    query_prefix_ids: tuple[int, ...] | None = None
    """None for the same as a document's."""
    query_length: int = 0
    """A shorter query is filled up to so many tokens with `expansion_id`."""
    expansion_id: int | None = None

    def __post_init__(self) -> None:
        if self.limit <= len(self.prefix_ids) + len(self.suffix_ids):
            raise ValueError("the limit leaves no room for text")
        if self.kind == "context":
            if self.separator_id is None:
                raise ValueError("a context window needs a separator")
            if self.prefix_ids or self.suffix_ids or self.pool_specials:
                raise ValueError("a context window has no special tokens of its own")
        if self.keep_specials and not self.pool_specials:
            raise ValueError("kept tokens lie in a pool span")


def plan(
    texts: Sequence[str], tokenizer: TextTokenizer, rule: WindowRule
) -> list[WindowPlan]:
    """Lay out the chunks of one document.

    Args:
        texts: The chunks' texts, in order.
        tokenizer: The checkpoint's.
        rule: The checkpoint's.

    Returns:
        Plans in the order of the text. Every chunk that has tokens is owned by exactly
        one; a chunk without tokens is in none.
    """
    tokens = tokenizer.ids(texts)
    chunks = [(i, ids) for i, ids in enumerate(tokens) if len(ids)]
    if rule.kind == "single":
        return [_plan_alone(i, ids, rule) for i, ids in chunks]
    plans: list[WindowPlan] = []
    for too_long, run in groupby(chunks, lambda c: len(c[1]) > rule.limit):
        if too_long:
            plans.extend(_plan_alone(i, ids, rule) for i, ids in run)
        else:
            plans.extend(_plan_together(list(run), rule))
    return plans


def plan_query(
    text: str, tokenizer: TextTokenizer, rule: WindowRule
) -> WindowPlan | None:
    """Lay out a query, expanded where the checkpoint wants it.

    Returns:
        None for a query without tokens.
    """
    (ids,) = tokenizer.ids([text])
    return _plan_alone(0, ids, rule, kind="query") if len(ids) else None


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


# --- one chunk at a time -----------------------------------------------------


def _plan_alone(
    index: int,
    ids: Ids,
    rule: WindowRule,
    kind: Literal["document", "query"] = "document",
) -> WindowPlan:
    """Read a chunk by itself, in nearly equal pieces when it is too long."""
    prefix = rule.prefix_ids
    if kind == "query" and rule.query_prefix_ids is not None:
        prefix = rule.query_prefix_ids
    room = rule.limit - len(prefix) - len(rule.suffix_ids)
    pieces = np.array_split(ids, -(-len(ids) // room))
    windows, position = [], 0
    for piece in pieces:
        windows.append(_window(piece, position, prefix, rule, kind))
        position += len(piece)
    return _plan(windows, (index,))


def _window(
    ids: Ids,
    position: int,
    prefix: tuple[int, ...],
    rule: WindowRule,
    kind: Literal["document", "query"],
) -> TokenWindow:
    """Put special tokens around a piece of text that starts at token `position`."""
    expansion: list[int] = []
    if kind == "query" and rule.expansion_id is not None and position == 0:
        missing = rule.query_length - len(ids) - len(prefix) - len(rule.suffix_ids)
        expansion = [rule.expansion_id] * missing
    at = min(rule.prefix_position, len(ids))
    parts = (ids[:at], prefix, ids[at:], rule.suffix_ids, expansion)
    token_ids = np.concatenate([np.asarray(part, np.int32) for part in parts])  # (T,)
    positions = np.full(len(token_ids), -1, dtype=np.int32)
    first, last = len(prefix) + at, len(prefix) + len(ids)
    positions[:at] = np.arange(position, position + at)
    positions[first:last] = np.arange(position + at, position + len(ids))
    text_start = 0 if at else len(prefix)
    pool = Span(0, len(token_ids)) if rule.pool_specials else Span(text_start, last)
    keep = _keep(token_ids, positions >= 0, rule, kind)
    return TokenWindow(token_ids, (pool,), keep, positions, kind, position > 0)


def _keep(
    token_ids: Ids,
    is_text: NDArray[np.bool_],
    rule: WindowRule,
    kind: Literal["document", "query"],
) -> NDArray[np.bool_]:
    if not rule.keep_tokens:
        return np.zeros(len(token_ids), dtype=np.bool_)
    keep = is_text if not rule.keep_specials else np.ones_like(is_text)
    if rule.skip_ids and kind == "document":
        keep = keep & ~(is_text & np.isin(token_ids, list(rule.skip_ids)))
    return keep


# --- several chunks together -------------------------------------------------


class _Window(NamedTuple):
    """Chunks first:last of a run."""

    first: int
    last: int


def _plan_together(run: list[tuple[int, Ids]], rule: WindowRule) -> list[WindowPlan]:
    """Read consecutive chunks, each within the limit, in overlapping windows."""
    lengths = [len(ids) for _, ids in run]
    # Chunk c starts at token starts[c] of the run, a separator before all but the first.
    starts = np.concatenate(([0], np.cumsum(np.array(lengths) + 1)))
    windows = _overlapping(starts, rule)
    owners = _owners(starts, windows)
    plans = []
    for number, window in enumerate(windows):
        owned = [c for c in range(*window) if owners[c] == number]
        if owned:
            plans.append(_context_plan(run, window, owned, rule))
    return plans


def _overlapping(starts: NDArray[np.int64], rule: WindowRule) -> list[_Window]:
    """Fill windows with whole chunks; the next starts within the overlap."""
    n_chunks = len(starts) - 1
    # n chunks have n - 1 separators: one fewer than `starts` counts.
    fits = rule.limit + 1
    shared = int(rule.limit * rule.overlap)
    windows = [_Window(0, int(np.searchsorted(starts, fits, "right")) - 1)]
    while (end := windows[-1].last) < n_chunks:
        need = max(starts[end] - shared, starts[end + 1] - fits)
        first = int(np.searchsorted(starts, need))
        first = max(first, windows[-1].first + 1)
        last = int(np.searchsorted(starts, starts[first] + fits, "right")) - 1
        windows.append(_Window(first, last))
    return windows


def _owners(starts: NDArray[np.int64], windows: list[_Window]) -> list[int]:
    """Give each chunk the window in which it lies furthest from an edge.

    The start and the end of the document are no edges: nothing is missing there.
    """
    n_chunks = len(starts) - 1
    best = [(-1, 0)] * n_chunks
    for number, window in enumerate(windows):
        for c in range(*window):
            before = starts[c] - starts[window.first]
            after = starts[window.last] - starts[c + 1]
            distance = min(
                before if window.first else starts[-1],
                after if window.last < n_chunks else starts[-1],
            )
            best[c] = max(best[c], (int(distance), -number))
    return [-number for _, number in best]


def _context_plan(
    run: list[tuple[int, Ids]], window: _Window, owned: list[int], rule: WindowRule
) -> WindowPlan:
    """Join the chunks of a window; the owned ones get pool spans."""
    separator = np.array([rule.separator_id], dtype=np.int32)
    parts: list[Ids] = []
    positions: list[Ids] = []
    spans: dict[int, Span] = {}
    n_tokens = 0
    for c in range(*window):
        ids = run[c][1]
        spans[c] = Span(n_tokens, n_tokens + len(ids))
        parts += [ids, separator]
        positions += [np.arange(len(ids), dtype=np.int32), np.full(1, -1, np.int32)]
        n_tokens += len(ids) + 1
    token_ids = np.concatenate(parts[:-1])  # (T,)
    is_owned = np.zeros(len(token_ids), dtype=np.bool_)
    for c in owned:
        is_owned[slice(*spans[c])] = True
    one = TokenWindow(
        token_ids,
        tuple(spans[c] for c in owned),
        _keep(token_ids, is_owned, rule, "document"),
        np.concatenate(positions[:-1]),
    )
    return _plan([one], tuple(run[c][0] for c in owned))


def _plan(windows: list[TokenWindow], chunk_indices: tuple[int, ...]) -> WindowPlan:
    digest = blake2b(digest_size=16)
    for window in windows:
        spans = np.array(window.pool_spans, dtype="<i4")
        sizes = (len(window.token_ids), len(spans), window.continues)
        digest.update(np.array(sizes, dtype="<i4").tobytes())
        digest.update(window.token_ids.astype("<i4").tobytes())
        digest.update(spans.tobytes())
        digest.update(window.keep.tobytes())
    return WindowPlan(tuple(windows), chunk_indices, digest.digest())
