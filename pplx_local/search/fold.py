"""One hit for a file, and one for all files that say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pplx_local.search.alike import Passage, alike
from pplx_local.search.living import Found
from pplx_local.search.sketches import FEW, Sketches

ALSO = 0.5
"""Share of its file's best score from which another passage is worth a mention."""
_SAME_SCORE = 0.2
"""Copies score alike: where scores are further apart than this share of the better one,
texts are not compared."""
_SAME_LENGTH = 0.6
"""Nor where one passage has less than this share of the other's characters."""
_LOOKED_AT = 3
"""Candidates that are looked at for each hit, once there are enough hits."""


@dataclass(slots=True)
class Group:
    """What becomes one hit."""

    best: Found
    more: list[Found] = field(default_factory=list)
    """Of the same document, the best first."""
    near: list[Found] = field(default_factory=list)
    """Of other documents: a passage each that says the same as the best one."""

    def mention(self, found: Found) -> None:
        """Keep another passage of the same document, unless it is far behind."""
        if found.score >= ALSO * self.best.score > 0:
            self.more.append(found)


def fold(
    found: Iterable[Found], k: int, text_of: Callable[[Found], str]
) -> list[Group]:
    """Fold candidates, the best first, into at most k groups."""
    folding = _Folding(k, text_of)
    for number, one in enumerate(found):
        if folding.is_full and number >= _LOOKED_AT * k:
            break
        folding.take(one)
    return folding.groups


class _Folding:
    def __init__(self, k: int, text_of: Callable[[Found], str]) -> None:
        self._k, self._text_of = k, text_of
        self.groups: list[Group] = []
        self._own: dict[int, Group] = {}
        """By document: the group that its best passage leads."""
        self._joined: dict[int, Group] = {}
        """By document: the group that its best passage is a copy in."""
        self._passages: dict[int, Passage] = {}
        self._leaders = Sketches()
        """The best passages of the groups."""

    @property
    def is_full(self) -> bool:
        return len(self.groups) >= self._k

    def take(self, found: Found) -> None:
        document = found.ref.document_id
        if document in self._own:
            self._own[document].mention(found)
        elif document in self._joined:
            self._take_of_copy(found, self._joined[document])
        elif group := self._like(found):
            group.near.append(found)
            self._joined[document] = group
        else:
            self._open(found)

    def _take_of_copy(self, found: Found, group: Group) -> None:
        """A copy goes on as its original does; what only it says is a hit of its own."""
        if not any(self._same(found, one) for one in (group.best, *group.more)):
            self._open(found)

    def _like(self, found: Found) -> Group | None:
        if not self.groups or _is_far_behind(found, self.groups[-1].best):
            return None
        same = (one for one in self._near(found) if self._same(found, one.best))
        return next(same, None)

    def _near(self, found: Found) -> Iterable[Group]:
        """Give the groups that it may be a copy in; of few, without its text."""
        if len(self.groups) <= FEW:
            return self.groups
        numbers = self._leaders.perhaps_like(self._passage(found))
        return (self.groups[number] for number in numbers)

    def _open(self, found: Found) -> None:
        if not self.is_full:
            self.groups.append(Group(found))
            self._leaders.add(self._passage(found))
            self._own[found.ref.document_id] = self.groups[-1]

    def _same(self, found: Found, better: Found) -> bool:
        if _is_far_behind(found, better):
            return False
        shorter, longer = sorted(_n_chars(one) for one in (found, better))
        if shorter < _SAME_LENGTH * longer:
            return False
        return alike(self._passage(found), self._passage(better))

    def _passage(self, found: Found) -> Passage:
        if found.candidate not in self._passages:
            self._passages[found.candidate] = Passage(self._text_of(found))
        return self._passages[found.candidate]


def _is_far_behind(found: Found, better: Found) -> bool:
    return better.score - found.score > _SAME_SCORE * abs(better.score)


def _n_chars(found: Found) -> int:
    start, end = found.ref.char_span
    return end - start
