"""How much each word of a query counts in MaxSim: the rarer it is here, the more.

The makers of late-interaction models train theirs so that what says little has vectors
that add little. A model that was made for other things gives "the" as much to say as
"osmosis", and the keyword index knows better. Measured with the starter before its token
vectors were pooled, nDCG@10 of the late leg: SQuAD 0.904 -> 0.922, Cranfield 0.547 ->
0.550; of the fusion: 0.917 -> 0.927, 0.585 -> 0.587.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pplx_local.records import TokenVectors
from pplx_local.search.legs import Values
from pplx_local.store import Term, analyze_query

UNKNOWN = 0.1
"""Share of the chunks that a word which none of them holds counts as: no passage can
match it, and some may mean it."""
LEAST = 0.3
"""Idf of marks, and of what nearly every chunk holds."""


def weigh(
    query: TokenVectors,
    words: Sequence[str],
    shares: Mapping[Term, float],
    power: float,
) -> TokenVectors:
    """Scale the rows of a query by the rarity of the words they belong to.

    Args:
        query: Q rows of int8 with scales.
        words: (Q,) The word of each row, "" for rows of no word: they count as the
            average word does.
        shares: Of all chunks, those that hold each term, 0 to 1.
        power: Of the idf; 0 leaves all rows alike.

    Returns:
        The same rows; their weights average 1, so that the scores keep their size.
    """
    if power == 0 or query.scales is None:
        return query
    idf = {word: _idf(word, shares) for word in set(words) if word}
    weights: Values = np.array(
        [idf.get(word, math.nan) ** power for word in words], dtype=np.float32
    )
    if np.isnan(weights).all():
        return query
    weights = np.where(np.isnan(weights), np.nanmean(weights), weights)
    return replace(query, scales=query.scales * (weights / weights.mean()))


def _idf(word: str, shares: Mapping[Term, float]) -> float:
    terms = analyze_query(word).terms
    if not terms:
        return LEAST
    found = [shares[term] for term in terms if term in shares]
    return max(-math.log(min(found, default=UNKNOWN)), LEAST)
