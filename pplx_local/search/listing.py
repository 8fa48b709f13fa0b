"""Answers to filters alone, and to filters that leave little or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

import numpy as np

from pplx_local.models import Fusion
from pplx_local.records import Leg, Role
from pplx_local.search.asked import Asked
from pplx_local.search.clock import Clock
from pplx_local.search.legs import Ids, Values
from pplx_local.search.query import Query
from pplx_local.search.ranking import Ranking
from pplx_local.search.reports import reports
from pplx_local.search.spaces import SearchSpace
from pplx_local.store import MAX_TERMS, Matches, Selection, Store
from pplx_local.window import MOST_QUERY_TOKENS

_SPARE = 200
"""Documents beyond those asked for: some files may be gone, or copies of others."""


def all_of(within: Selection | None, k: int) -> Ids | None:
    """Give the chunks of a selection, if they are not more than k."""
    ids = None if within is None else within.ids
    return ids if ids is not None and len(ids) <= k else None


def is_empty(within: Selection) -> bool:
    """Tell whether filters leave nothing."""
    return all_of(within, 0) is not None


def about(query: Query, asked: Asked) -> Iterator[str]:
    """Say what a person may not expect: what finds nothing, or was not read."""
    within = asked.within
    if any(encoded.is_cut for encoded in asked.encoded.values()):
        yield (
            f"The question is long: only its first {MOST_QUERY_TOKENS} tokens were read"
            f" for what they mean, and its first {MAX_TERMS} words as keywords."
        )
    elif asked.is_question and asked.words.is_cut:
        yield f"The question is long: only its first {MAX_TERMS} words are keywords."
    if within is None and not query.has_words:
        yield "There is no word in it to search for."
    if within is not None and is_empty(within):
        yield "The filters leave nothing to search."


def listing(
    store: Store,
    spaces: Mapping[Role, SearchSpace],
    asked: Asked,
    k: int,
    clock: Clock,
) -> tuple[Ranking, Values]:
    """List what filters leave, the newest document first.

    Returns:
        One candidate for each document, and a score (N,) that falls with its place.
    """
    ids = np.empty(0, dtype=np.int64)
    if asked.within is not None and not is_empty(asked.within):
        ids = store.newest_first(asked.filters, asked.within, 2 * k + _SPARE)
    legs = reports(store, spaces, (), dict.fromkeys(get_args(Leg), ""), clock)
    ranking = Ranking(
        ids=ids,
        raw={},
        matches=Matches.none(len(ids)),
        codes=None,
        known_share=0.0,
        evidence={},
        confidence=np.full(len(ids), np.nan, dtype=np.float32),
        trust={},
        n_words=1,
        fusion=Fusion({}),
        is_null=np.zeros(len(ids), dtype=np.bool_),
        legs={leg: report._replace(reason=None) for leg, report in legs.items()},
    )
    return ranking, (1 / np.arange(1, len(ids) + 1)).astype(np.float32)
