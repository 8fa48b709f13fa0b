"""What the doctor finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pplx_local.errors import PplxLocalError

Outcome = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    outcome: Outcome
    """"ok", "warn" for what costs something, "fail" for what does not work."""
    detail: str
    """What was found."""
    remedy: str | None = None
    """What to do; None when there is nothing to do."""


def guarded(name: str, check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Make an error that ends a group of checks into a check that failed."""
    try:
        yield from check()
    except PplxLocalError as error:
        yield Check(name, "fail", str(error))
