"""Work in steps, between which whoever asked may have left."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

_Found = TypeVar("_Found")

Steps = Generator[None, None, _Found]
"""Stops now and then; closed there, it does no more."""


def finished(steps: Steps[_Found]) -> _Found:
    """Do all of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: _Found = end.value
            return found
