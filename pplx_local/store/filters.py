"""What a search asks of files and documents, apart from words to rank by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Among(NamedTuple):
    """Some values, or all but them."""

    values: frozenset[str]
    inverted: bool = False

    def __or__(self, other: Among) -> Among:
        """Take what is in either."""
        match self.inverted, other.inverted:
            case False, False:
                return Among(self.values | other.values)
            case True, True:
                return Among(self.values & other.values, inverted=True)
            case True, False:
                return Among(self.values - other.values, inverted=True)
        return Among(other.values - self.values, inverted=True)

    def __invert__(self) -> Among:
        """Take everything else."""
        return Among(self.values, not self.inverted)

    def __and__(self, other: Among) -> Among:
        """Take what is in both."""
        return ~(~self | ~other)


class Parts(NamedTuple):
    """Parts of a name: one of the first has to be in it, none of the others."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


_ANY_NAME = Parts()


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all have to hold; none of them by default."""

    phrases: tuple[str, ...] = ()
    """The document holds all of them, the passage one at the least."""
    without: tuple[str, ...] = ()
    """Words that the passage does not hold, inflected ones neither."""
    without_phrases: tuple[str, ...] = ()
    """Not to be in the passage, letter by letter."""
    path: Parts = _ANY_NAME
    """Folders with their whole path, patterns with `*` and `?`, or any part of it."""
    title: Parts = _ANY_NAME
    """Of the document, or where it has none, of the file's name."""
    author: Parts = _ANY_NAME
    """As the document states it; one that states none holds no part of any name."""
    extension: Among | None = None
    """As `documents.type_of` gives them."""
    language: Among | None = None
    """ISO 639 codes."""
    after: date | None = None
    """First day that counts: the document's own, or else that of the last change."""
    before: date | None = None
    """First day that no longer counts."""

    def __bool__(self) -> bool:
        """Whether anything is asked at all."""
        return self != NO_FILTERS


NO_FILTERS = Filters()
