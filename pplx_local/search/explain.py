"""Which words of a passage answered which words of the query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pplx_local.encoding.words import whole_word
from pplx_local.records import Match, Span, TokenVectors
from pplx_local.reference import similarities


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
    for row, word in enumerate(query_words):
        column = int(np.argmax(sims[row]))
        position = int(passage.positions[column])
        if not word or position < 0:
            continue
        start, end = whole_word(text, token_spans[position])
        if start == end:
            continue
        found = Match(word, start, end, round(float(sims[row, column]), 4))
        if word not in best or found.similarity > best[word].similarity:
            best[word] = found
    return tuple(best.values())
