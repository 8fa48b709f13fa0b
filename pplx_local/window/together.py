"""Several chunks of a document in one window, so that each is read in its context."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pplx_local.records import Span, TokenWindow, WindowPlan
from pplx_local.window.assemble import assemble, keep_mask
from pplx_local.window.cuts import Window, cut
from pplx_local.window.rule import Ids, WindowRule

Chunk = tuple[int, Ids]
"""A chunk's number in its document, and its tokens."""


def plan_together(
    run: Sequence[Chunk], owned: range, rule: WindowRule
) -> list[WindowPlan]:
    """Read consecutive chunks, each within the limit, in windows of whole chunks.

    A run that fits is one window. Of a longer one, neighbouring windows share at most
    `rule.overlap` of the limit, cut in the middle: so each chunk is owned by the window
    in which it lies furthest from an edge, give or take the chunks next to the cut,
    whose lengths settle how nearly whole chunks come to the middle. The ends of the run
    are no edges, nothing is missing there.

    Args:
        run: The chunks, by rising number.
        owned: Numbers of the chunks that are to be encoded; the others are context.
        rule: Of kind "context".

    Returns:
        Plans in the order of the text.
    """
    core_first = sum(number < owned.start for number, _ in run)
    core_last = sum(number < owned.stop for number, _ in run)
    windows = cut([ids for _, ids in run], core_first, core_last, rule)
    return [_plan_window(run, window, rule) for window in windows]


def _plan_window(run: Sequence[Chunk], window: Window, rule: WindowRule) -> WindowPlan:
    """Join the chunks of a window; those of its core get pool spans."""
    chunks = [ids for _, ids in run[window.first : window.last]]
    token_ids, positions, spans = _join(chunks, rule)
    core = slice(window.core_first - window.first, window.core_last - window.first)
    is_owned = np.zeros(len(token_ids), dtype=np.bool_)
    for span in spans[core]:
        is_owned[slice(*span)] = True
    keep = keep_mask(token_ids, is_owned, rule, "document")
    one = TokenWindow(token_ids, tuple(spans[core]), keep, positions)
    owned = run[window.core_first : window.core_last]
    return assemble([one], tuple(number for number, _ in owned))


def _join(chunks: Sequence[Ids], rule: WindowRule) -> tuple[Ids, Ids, list[Span]]:
    """Join chunks by separators: token ids (T,), positions (T,) and a span for each."""
    separator = np.array([rule.separator_id], dtype=np.int32)
    parts: list[Ids] = []
    positions: list[Ids] = []
    spans: list[Span] = []
    n_tokens = 0
    for ids in chunks:
        spans.append(Span(n_tokens, n_tokens + len(ids)))
        parts += [ids, separator]
        positions += [np.arange(len(ids), dtype=np.int32), np.full(1, -1, np.int32)]
        n_tokens += len(ids) + 1
    return np.concatenate(parts[:-1]), np.concatenate(positions[:-1]), spans
