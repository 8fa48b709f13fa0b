"""Whether two passages say the same: copies, and copies with a word changed."""

from __future__ import annotations

import re
from typing import NamedTuple

ALIKE = 0.8
"""Share of common shingles from which two passages are one."""

_SHINGLE = 3
_WORDS = re.compile(r"\w+")
_NUMBERS = re.compile(r"\d+")


class Passage(NamedTuple):
    """What of a passage is compared."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]
    shingles: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, text: str) -> Passage:
        """Forget case, blanks and punctuation."""
        words = tuple(_WORDS.findall(text.casefold()))
        n_shingles = max(len(words) - _SHINGLE + 1, 1)
        shingles = frozenset(words[i : i + _SHINGLE] for i in range(n_shingles))
        return cls(words, tuple(_NUMBERS.findall(text)), shingles)


def alike(one: Passage, other: Passage) -> bool:
    """Tell whether passages are the same, or all but a few of their words are.

    Those that differ in a number are not: bills and minutes are alike in all but that.
    """
    if one.words == other.words:
        return True
    shorter, longer = sorted((len(one.words), len(other.words)))
    if one.numbers != other.numbers or shorter < ALIKE * longer:
        return False
    common = len(one.shingles & other.shingles)
    return common >= ALIKE * len(one.shingles | other.shingles)
