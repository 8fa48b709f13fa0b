"""What becomes of single files, for who wants to watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pplx_local.records import Fate


class Happening(NamedTuple):
    """What became of a file just now."""

    path: bytes
    fate: Fate
    reason: str | None = None
    took_ms: float | None = None
    """None where the file was not read for it."""


Tell = Callable[[Happening], None]


class Told:
    """Keeps what happens inside a transaction back until it has been kept itself."""

    def __init__(self, tell: Tell) -> None:
        """Start with nothing."""
        self._tell = tell
        self._kept: list[Happening] = []

    def note(self, happening: Happening) -> None:
        """Keep it back."""
        self._kept.append(happening)

    def pass_on(self) -> None:
        """Tell: the transaction was committed."""
        for happening in self._kept:
            self._tell(happening)
        self.forget()

    def forget(self) -> None:
        """What a transaction that failed has noted did not happen."""
        self._kept.clear()


def tell_nobody(happening: Happening) -> None:
    """Let it pass."""
