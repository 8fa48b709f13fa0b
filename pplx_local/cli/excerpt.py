"""The part of a passage that answers best, with the words of the query marked.

Only exact words are marked; words that a model thinks alike help to choose the part.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pplx_local.answer import Hit, Span

_QUERY_WORDS = 64
_UNRELATED = 0.3
"""Similarity that any two words have."""
_GRAMMAR = re.compile(
    "a|about|am|an|and|are|as|at|be|been|but|by|can|could|did|do|does|for|from|had|has|"
    "have|how|i|if|in|into|is|it|its|me|my|no|not|of|on|or|our|she|so|such|than|that|"
    "the|their|them|then|there|these|they|this|to|was|we|were|what|when|where|which|"
    "who|why|will|with|would|you|your",
    re.IGNORECASE,
)
"""English words that say nothing about a passage; those of other languages are marked
like any word, which looks busy and hides nothing."""
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0eff"
_CJK_RUN = re.compile(f"[{_CJK}]+")
_WORD = re.compile(r"\w+")
_OPERATOR = re.compile(r"(?:^|\s)(?:-\S+|(?:path|type|after|before):\S+)")


class Excerpt(NamedTuple):
    """A stretch of a passage."""

    text: str
    marks: tuple[Span, ...]
    """Into `text`: words of the query."""
    line: int
    """1-based line of the document's text on which the first of them lies, exact or
    alike, or else the stretch begins."""
    column: int
    """1-based, in characters; counted from the passage's start on its first line."""


class _Spot(NamedTuple):
    """A place in a passage that speaks for showing it."""

    start: int
    end: int
    word: str
    """Of the query; one that comes twice counts once."""
    weight: float


def excerpt(hit: Hit, query: str, max_chars: int) -> Excerpt:
    """Cut the stretch of at most `max_chars` that answers most of the query's words."""
    words = find_words(hit.text, query)
    spots = sorted(_spots(hit, words))
    window = _best_window(hit.text, spots, max_chars)
    inside = [w for w in words if window.start <= w.start and w.end <= window.end]
    lead = len(hit.text) - len(hit.text.lstrip())  # `hit.line` is where words begin
    shown = [spot.start for spot in spots if window.start <= spot.start < window.end]
    anchor = max(shown[0] if shown else window.start, lead)
    return Excerpt(
        hit.text[window.start : window.end],
        tuple(Span(a - window.start, b - window.start) for a, b in inside),
        hit.line + hit.text.count("\n", lead, anchor),
        anchor - hit.text.rfind("\n", 0, anchor),
    )


def _spots(hit: Hit, words: Sequence[Span]) -> list[_Spot]:
    exact = [_Spot(a, b, hit.text[a:b].casefold(), 1.0) for a, b in words]
    alike = [
        _Spot(match.text_start, match.text_end, match.query_word.casefold(), similarity)
        for match in hit.matches
        if (similarity := match.similarity) > _UNRELATED
    ]
    return exact + alike


def find_words(text: str, query: str) -> list[Span]:
    """Find where words of the query stand in a text, in order."""
    pattern = _pattern(query)
    return [Span(*match.span()) for match in pattern.finditer(text)] if pattern else []


@lru_cache(maxsize=8)
def _pattern(query: str) -> re.Pattern[str] | None:
    asked = _OPERATOR.sub(" ", query)
    spaced = [pair for run in _CJK_RUN.findall(asked) for pair in _bigrams(run)]
    every = _WORD.findall(_CJK_RUN.sub(" ", asked))
    telling = [word for word in every if not _GRAMMAR.fullmatch(word)]
    words, spaced = (telling or every)[:_QUERY_WORDS], spaced[:_QUERY_WORDS]
    if not words and not spaced:
        return None
    escaped = "|".join(map(re.escape, words))
    whole = [rf"(?<!\w)(?:{escaped})(?!\w)"] if words else []
    return re.compile("|".join(whole + spaced), re.IGNORECASE)


def _bigrams(run: str) -> list[str]:
    """Words of a script without blanks: every two neighbours."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _best_window(text: str, spots: Sequence[_Spot], max_chars: int) -> Span:
    """Choose where most is said about different words; of equals the first."""
    if len(text) <= max_chars:
        return Span(0, len(text))
    starts = [spot.start for spot in spots]
    best_start, best_weight = 0, 0.0
    for first, start in enumerate(starts):
        last = bisect_left(starts, start + max_chars)
        weights: dict[str, float] = {}
        for spot in spots[first:last]:
            weights[spot.word] = max(spot.weight, weights.get(spot.word, 0.0))
        if (weight := sum(weights.values())) > best_weight:
            best_start, best_weight = start, weight
    return _tidy(text, best_start, max_chars)


def _tidy(text: str, first_word: int, max_chars: int) -> Span:
    """Begin a little before the first word, and end at a blank if there is one."""
    before = max(0, first_word - max_chars // 4)
    line = text.rfind("\n", before, first_word) + 1
    blank = text.find(" ", before, first_word) + 1
    start = 0 if before == 0 else line or blank or before
    end = min(len(text), start + max_chars)
    if end < len(text):
        end = max(text.rfind(" ", start + max_chars // 2, end), 0) or end
    return Span(start, end)
