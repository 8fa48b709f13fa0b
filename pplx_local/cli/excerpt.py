"""The part of a passage that answers best, with the words of the query marked.

Only exact words count here: which words a model thinks alike is for `--explain`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pplx_local.records import Hit, Span

_QUERY_WORDS = 64
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
    """1-based line of the document's text on which the first mark lies, or the
    stretch begins."""
    column: int
    """1-based, in characters; counted from the passage's start on its first line."""


def excerpt(hit: Hit, query: str, max_chars: int) -> Excerpt:
    """Cut the stretch of at most `max_chars` that holds most of the query's words."""
    words = find_words(hit.text, query)
    window = _best_window(hit.text, words, max_chars)
    inside = [w for w in words if window.start <= w.start and w.end <= window.end]
    anchor = inside[0].start if inside else window.start
    lead = len(hit.text) - len(hit.text.lstrip())  # `hit.line` is where words begin
    return Excerpt(
        hit.text[window.start : window.end],
        tuple(Span(a - window.start, b - window.start) for a, b in inside),
        hit.line + hit.text.count("\n", lead, max(anchor, lead)),
        max(anchor, lead) - hit.text.rfind("\n", 0, max(anchor, lead)),
    )


def find_words(text: str, query: str) -> list[Span]:
    """Find where words of the query stand in a text, in order."""
    pattern = _pattern(query)
    return [Span(*match.span()) for match in pattern.finditer(text)] if pattern else []


@lru_cache(maxsize=8)
def _pattern(query: str) -> re.Pattern[str] | None:
    asked = _OPERATOR.sub(" ", query)
    spaced = [pair for run in _CJK_RUN.findall(asked) for pair in _bigrams(run)]
    words = [
        re.escape(w) for w in _WORD.findall(_CJK_RUN.sub(" ", asked)) if len(w) > 1
    ]
    words, spaced = words[:_QUERY_WORDS], spaced[:_QUERY_WORDS]
    if not words and not spaced:
        return None
    whole = [rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"] if words else []
    return re.compile("|".join(whole + spaced), re.IGNORECASE)


def _bigrams(run: str) -> list[str]:
    """Words of a script without blanks: every two neighbours."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _best_window(text: str, words: Sequence[Span], max_chars: int) -> Span:
    """Prefer many different words; of equals the first, begun at a line or word."""
    if len(text) <= max_chars:
        return Span(0, len(text))
    starts = [word.start for word in words]
    best_start, best_count = 0, 0
    for i, start in enumerate(starts):
        last = bisect_left(starts, start + max_chars)
        different = len({text[a:b].casefold() for a, b in words[i:last]})
        if different > best_count:
            best_start, best_count = start, different
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
