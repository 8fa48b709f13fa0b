"""Hints that something happened to a path, held back until a look is worth it."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass

QUIET_S = 0.3
"""A path is due when nothing was heard of it for so long."""
_TOGETHER_S = 0.1
"""What is due so soon after another path is looked at with it: of a rename the old name
is told first, and only with the new one it is no deletion."""
LONGEST_S = 5.0
"""It is due so long after its first hint even if they go on."""
LIMIT = 5_000
"""Paths that wait in one folder, before walking it is cheaper than remembering."""

_PATIENCE = 3
"""Looks in a row before a path counts as hot: somebody may be saving every second."""
_REST_S = 5.0
"""Between looks at a path that has just become hot; doubled with every look."""
_LONGEST_REST_S = 300.0
_MEMORY_S = 2.5
"""Or twice its rest: a path that was quiet for longer is not hot. A person who saves
every few seconds wants to find what was saved; a program writes more often."""


@dataclass(slots=True)
class _Waiting:
    first: float
    last: float
    not_before: float

    def due_at(self) -> float:
        quiet = min(self.last + QUIET_S, self.first + LONGEST_S)
        return max(quiet, self.not_before)


@dataclass(frozen=True, slots=True)
class _Look:
    """The last one at a path, and how many there were in a row."""

    at: float
    in_a_row: int

    def rest_s(self) -> float:
        if self.in_a_row < _PATIENCE:
            return 0.0
        doublings = min(self.in_a_row - _PATIENCE, 10)
        return min(_REST_S * 2**doublings, _LONGEST_REST_S)

    def is_recent(self, now: float) -> bool:
        return now - self.at <= max(_MEMORY_S, 2 * self.rest_s())


class Hints:
    """What was heard of one folder, by path. Not for two threads at once.

    A hint for the folder itself stands for a whole walk; more than `LIMIT` paths
    become one.
    """

    def __init__(self, folder: bytes) -> None:
        self._folder = folder
        self._waiting: dict[bytes, _Waiting] = {}
        self._looks: dict[bytes, _Look] = {}

    def add(self, path: bytes, now: float) -> float:
        """Take note that something happened to a path.

        Args:
            path: The folder or something in it.
            now: Seconds of a clock that never goes back.

        Returns:
            When it is due.
        """
        path = self._of_whom(path, now)
        waiting = self._waiting.get(path)
        if waiting is None:
            look = self._looks.get(path)
            rested = look.at + look.rest_s() if look and look.is_recent(now) else 0.0
            waiting = self._waiting[path] = _Waiting(now, now, rested)
        elif now > waiting.last + QUIET_S:  # due, but nobody has taken it yet
            waiting.first = now
        waiting.last = now
        return waiting.due_at()

    def _of_whom(self, path: bytes, now: float) -> bytes:
        whole = self._waiting.get(self._folder)
        if len(self._waiting) >= LIMIT and path not in self._waiting:
            self._waiting = {self._folder: whole} if whole else {}
            return self._folder
        # A folder that rests for minutes must not keep a note waiting as long.
        is_soon = whole is not None and whole.due_at() <= now + LONGEST_S
        return self._folder if is_soon else path

    def take(self, now: float) -> list[bytes]:
        """Take out the paths that are due, by their bytes.

        What lies in another one of them is left out.
        """
        due = self._due(now) and self._due(now + _TOGETHER_S)
        for path in due:
            self._looks[path] = self._look_at(path, self._waiting.pop(path), now)
        self._forget(now)
        return sorted(path for path in due if not _lies_below_one(path, due))

    def _due(self, now: float) -> set[bytes]:
        return {path for path, one in self._waiting.items() if one.due_at() <= now}

    def _look_at(self, path: bytes, waiting: _Waiting, now: float) -> _Look:
        before = self._looks.get(path)
        in_a_row = before.in_a_row + 1 if before and before.is_recent(now) else 1
        if waiting.last - waiting.first >= LONGEST_S - QUIET_S:  # it never paused
            in_a_row = max(in_a_row, _PATIENCE)
        return _Look(now, in_a_row)

    def _forget(self, now: float) -> None:
        self._looks = {
            p: look for p, look in self._looks.items() if look.is_recent(now)
        }
        if len(self._looks) > LIMIT:
            self._looks.clear()

    def next_at(self) -> float:
        """Tell when the next path is due; infinity when none waits."""
        return min((one.due_at() for one in self._waiting.values()), default=math.inf)


def _lies_below_one(path: bytes, folders: Container[bytes]) -> bool:
    while path := path.rpartition(b"/")[0]:
        if path in folders:
            return True
    return b"/" in folders
