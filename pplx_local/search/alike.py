"""Whether two passages say the same: copies, and copies with a word changed."""

from __future__ import annotations

import re
from collections.abc import Hashable, Set
from dataclasses import dataclass
from functools import cached_property

ALIKE = 0.8
"""Share of common words, and of common shingles, from which two passages are one."""

_SHINGLE = 3
_WORDS = re.compile(r"\w+")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Passage:
    """What of a passage is compared; most passages differ before all of it is needed."""

    text: str

    @cached_property
    def words(self) -> list[str]:
        """Without case, blanks and punctuation."""
        return _WORDS.findall(self.text.casefold())

    @cached_property
    def numbers(self) -> list[str]:
        """In their order."""
        return _NUMBERS.findall(self.text)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words, each once."""
        return frozenset(self.words)

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """Words as they follow each other; all of them, where they are few."""
        runs = zip(*(self.words[i:] for i in range(_SHINGLE)), strict=False)
        return frozenset(runs) or frozenset([tuple(self.words)])


def alike(one: Passage, other: Passage) -> bool:
    """Tell whether passages are the same, or all but a few of their words are.

    Those that differ in a number are not: bills and minutes are alike in all but that.
    """
    if one.numbers != other.numbers:
        return False
    if one.words == other.words:
        return True
    shorter, longer = sorted((len(one.words), len(other.words)))
    if shorter < ALIKE * longer:
        return False
    # Most passages differ in their words already, which are looked at in no time.
    return _is_shared(one.vocabulary, other.vocabulary) and _is_shared(
        one.shingles, other.shingles
    )


def _is_shared(one: Set[Hashable], other: Set[Hashable]) -> bool:
    n_common = len(one & other)
    return n_common >= ALIKE * (len(one) + len(other) - n_common)
