"""Why a passage was found: its rank in each leg, and which words answered which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pplx_local.encoding.words import whole_word
from pplx_local.records import Leg, Match, Span, TokenVectors
from pplx_local.reference import similarities
from pplx_local.store import analyze_query, find_words

_REMEMBERED = 10_000
"""Pairs of words: the hits of a question, and of the next letters of it, repeat them."""


def ranks(raw: Mapping[Leg, NDArray[np.float32]], candidate: int) -> dict[Leg, int]:
    """Rank a candidate by each leg's scores (N,), equals alike, from 1.

    A leg that has no score for it, or found none of its words, gives it no rank.
    """
    found: dict[Leg, int] = {}
    for leg, values in raw.items():
        score = values[candidate]
        if np.isfinite(score) and not (leg == "lexical" and score <= 0):
            found[leg] = 1 + int(np.count_nonzero(values > score))
    return found


def matches(
    query: TokenVectors,
    query_words: Sequence[str],
    passage: TokenVectors,
    token_spans: Sequence[Span],
    text: str,
) -> tuple[Match, ...]:
    """Pair each query word with the passage's word of highest similarity.

    Args:
        query: The query's rows, Q of them.
        query_words: The word that each row belongs to, "" for rows of no word.
        passage: Token vectors of one chunk.
        token_spans: Where each token of the chunk's text lies in `text`.
        text: The chunk's text.

    A word of several pieces takes the piece with the highest similarity.
    """
    if not len(passage.codes):
        return ()
    sims = similarities(query, passage, 0, len(passage.codes))  # (Q, n)
    best: dict[str, Match] = {}
    columns = sims.argmax(axis=1)
    positions, closest = passage.positions[columns], sims.max(axis=1)
    for word, position, close in zip(
        query_words, positions.tolist(), closest.tolist(), strict=True
    ):
        if not word or position < 0:
            continue
        start, end = whole_word(text, token_spans[position])
        if start == end:
            continue
        found = Match(word, start, end, round(close, 4))
        if word not in best or found.similarity > best[word].similarity:
            best[word] = found
    return tuple(_with_exactness(match, text) for match in best.values())


def _with_exactness(match: Match, text: str) -> Match:
    met = text[match.text_start : match.text_end]
    return match._replace(is_exact=_is_exact(match.query_word, met))


@lru_cache(_REMEMBERED)
def _is_exact(query_word: str, met: str) -> bool:
    return bool(find_words(met, analyze_query(query_word)))
