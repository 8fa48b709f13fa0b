"""Code between the fences of a Markdown text, of which only a stretch is known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

FENCE = re.compile(r"[ \t]{0,12}(`{3,}|~{3,})[ \t]*([^\n]*)")
_ANY = "?"
"""A fence that stands before the stretch: any may close it."""


class Written(NamedTuple):
    """A line as it is written."""

    start: int
    end: int
    words: str


class Fenced(NamedTuple):
    """The code from below a fence to above the one that closes it."""

    start: int
    end: int
    language: str
    """As the fence names it, in lower case; empty where it does not."""
    n_lines_before: int


def fenced(lines: Sequence[Written], headings: set[int]) -> Iterator[Fenced]:
    """Find the code of a stretch, in order.

    Args:
        lines: All of the stretch.
        headings: Where in the stretch the headings start that the index knows.
    """
    fence = _ANY if _begins_inside(lines, headings) else ""
    start, language, n_before = 0, "", 0
    for number, line in enumerate(lines):
        found = FENCE.fullmatch(line.words)
        if found and fence and _closes(fence, found):
            yield Fenced(start, line.start, language, n_before)
            fence = ""
        elif found and not fence and not _is_within_words(found):
            fence, language = found[1], _language(found[2])
            start, n_before = line.end + 1, number + 1
    if fence and lines and start < lines[-1].end:
        yield Fenced(start, lines[-1].end, language, n_before)


def _begins_inside(lines: Sequence[Written], headings: set[int]) -> bool:
    """Tell whether a stretch begins in code.

    A known heading, and a fence that names a language, stand outside of code: an odd
    number of fences before the first of them means that one closes what began earlier.
    """
    n_fences = 0
    for line in lines:
        found = FENCE.fullmatch(line.words)
        if line.start in headings or (found and found[2].strip()):
            return n_fences % 2 == 1
        n_fences += found is not None
    return False


def _closes(fence: str, found: re.Match[str]) -> bool:
    return not found[2].strip() and (fence == _ANY or found[1].startswith(fence))


def _is_within_words(found: re.Match[str]) -> bool:
    return found[1][0] == "`" and "`" in found[2]


def _language(info: str) -> str:
    return info.strip().partition(" ")[0].strip("{}.").lower()
