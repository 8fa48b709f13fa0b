"""The part of a passage that answers best, with the words that matched marked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from pplx_local.answer import Hit, Match, Span
from pplx_local.grammar import is_grammar

Strength = Literal["exact", "close", "near", "far"]

_MEANT: tuple[tuple[float, Strength], ...] = (
    (0.5, "close"),
    (0.4, "near"),
    (0.3, "far"),
)
"""From which similarity a word is how close to a word of the query. Of the starter's
pairs that are no words of the query, a quarter is above 0.41 and half below 0.33, which
is what any two words have."""


class Mark(NamedTuple):
    """A word of a passage that answers a word of the query."""

    start: int
    end: int
    strength: Strength
    """"exact" for a word of the query itself, inflected or not; else how close it is in
    meaning."""


class Excerpt(NamedTuple):
    """A stretch of a passage."""

    text: str
    marks: tuple[Mark, ...]
    """Into `text`, in order; none overlaps another."""
    line: int
    """1-based line of the document's text on which the first of the strongest of them
    lies, or else the stretch begins."""
    column: int
    """1-based, in bytes of UTF-8."""


class _Spot(NamedTuple):
    """A place in a passage that speaks for showing it."""

    start: int
    word: str
    """Of the query; one that comes twice counts once."""
    weight: float


def excerpt(hit: Hit, max_chars: int) -> Excerpt:
    """Cut the stretch of at most `max_chars` that answers most of the query's words."""
    spots = sorted(_spots(hit))
    window = _best_window(hit.text, spots, max_chars)
    inside = [m for m in marks(hit) if window.start <= m.start and m.end <= window.end]
    lead = len(hit.text) - len(hit.text.lstrip())  # `hit.line` is where words begin
    surest = min(inside, key=_rank, default=None)
    anchor = max(surest.start if surest else window.start, lead)
    line_start = max(hit.text.rfind("\n", 0, anchor) + 1, lead)
    before = len(hit.text[line_start:anchor].encode("utf-8", "surrogatepass"))
    return Excerpt(
        hit.text[window.start : window.end],
        tuple(Mark(m.start - window.start, m.end - window.start, m[2]) for m in inside),
        hit.line + hit.text.count("\n", lead, anchor),
        before + (hit.column if line_start == lead else 1),
    )


def marks(hit: Hit) -> list[Mark]:
    """Say which words of a hit are marked, in order; an exact word covers a meant one."""
    exact = {Mark(start, end, "exact") for start, end in hit.words}
    alike = {
        Mark(match.text_start, match.text_end, strength)
        for match in sorted(meant(hit), key=_similarity)
        if (strength := strength_of(match.similarity))
    }
    kept: list[Mark] = []
    for mark in sorted(exact | alike, key=_rank):
        if all(mark.end <= one.start or one.end <= mark.start for one in kept):
            kept.append(mark)
    return sorted(kept)


def strength_of(similarity: float) -> Strength | None:
    """Say how close a word is in meaning; None for no closer than any word."""
    return next((name for least, name in _MEANT if similarity >= least), None)


def meant(hit: Hit) -> Iterator[Match]:
    """Give the pairs that tell something: grammar and signs are close to any other."""
    for match in hit.matches:
        word = hit.text[match.text_start : match.text_end]
        if any(map(str.isalnum, word)) and not is_grammar(word):
            yield match


def _similarity(match: Match) -> float:
    return match.similarity


def _rank(mark: Mark) -> int:
    return ("exact", "close", "near", "far").index(mark.strength)


def _spots(hit: Hit) -> Iterator[_Spot]:
    for start, end in hit.words:
        yield _Spot(start, hit.text[start:end].casefold(), 1.0)
    for match in meant(hit):
        if strength_of(match.similarity):
            yield _Spot(match.text_start, match.query_word.casefold(), match.similarity)


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
