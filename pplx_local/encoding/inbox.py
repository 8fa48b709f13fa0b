"""Calls that wait to be answered, in two lanes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

_CAN_WAIT = frozenset({"plan", "encode"})
"""What indexing asks for. Behind everything else a person waits."""


@dataclass(frozen=True, slots=True)
class Call:
    """One method of a `Session` to be called."""

    number: int
    """Rises with each call of a client."""
    method: str
    args: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def is_urgent(self) -> bool:
        """Whether it goes before calls that came sooner."""
        return self.method not in _CAN_WAIT


class Inbox:
    """Filled by one thread and emptied by another; each lane keeps its order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: deque[Call] = deque()
        self._others: deque[Call] = deque()

    def put(self, call: Call) -> None:
        """Add a call at the end of its lane."""
        with self._changed:
            (self._urgent if call.is_urgent else self._others).append(call)
            self._changed.notify()

    def take(self) -> Call:
        """Wait for a call; an urgent one comes first."""
        with self._changed:
            self._changed.wait_for(lambda: self._urgent or self._others)
            return (self._urgent or self._others).popleft()

    def take_urgent(self, patience_s: float) -> Call | None:
        """Wait for an urgent call, so long at most."""
        if not (self._urgent or patience_s):  # asked often, and almost always so
            return None
        with self._changed:
            self._changed.wait_for(lambda: self._urgent, patience_s)
            return self._urgent.popleft() if self._urgent else None
