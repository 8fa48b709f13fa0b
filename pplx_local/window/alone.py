"""One chunk, or a query, by itself."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pplx_local.records import Span, TokenWindow, WindowPlan
from pplx_local.window.assemble import assemble, keep_mask
from pplx_local.window.rule import Ids, WindowRule


def plan_alone(
    index: int,
    ids: Ids,
    rule: WindowRule,
    kind: Literal["document", "query"] = "document",
    heading: Ids | None = None,
) -> WindowPlan:
    """Read a chunk by itself, in nearly equal pieces when it is too long.

    Args:
        index: The chunk's number.
        ids: Its tokens.
        rule: The checkpoint's.
        kind: What it is.
        heading: Tokens of what stands above it, read in front of each piece: they share
            in the dense vector, and give no token vectors.
    """
    prefix = rule.prefix_ids
    if kind == "query" and rule.query_prefix_ids is not None:
        prefix = rule.query_prefix_ids
    if heading is not None:
        prefix = (*prefix, *heading[: rule.heading_tokens].tolist())
    room = rule.limit - len(prefix) - len(rule.suffix_ids)
    pieces = np.array_split(ids, -(-len(ids) // room))
    windows, position = [], 0
    for piece in pieces:
        windows.append(_window(piece, position, prefix, rule, kind))
        position += len(piece)
    return assemble(windows, (index,))


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
    keep = keep_mask(token_ids, positions >= 0, rule, kind)
    return TokenWindow(token_ids, (pool,), keep, positions, kind, position > 0)
