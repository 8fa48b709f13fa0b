"""Tide heights between two known extremes, by the rule of twelfths and by a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Extreme:
    """A high or a low water from the tables."""

    time: datetime
    height_m: float


def height_at(before: Extreme, after: Extreme, time: datetime) -> float:
    """Interpolate with half a cosine, which is good to about ten centimetres."""
    span = (after.time - before.time).total_seconds()
    part = (time - before.time).total_seconds() / span
    middle = (before.height_m + after.height_m) / 2
    swing = (before.height_m - after.height_m) / 2
    return middle + swing * math.cos(math.pi * part)


def rule_of_twelfths(before: Extreme, after: Extreme) -> list[float]:
    """Give the height after each of six equal parts of the time between."""
    change = after.height_m - before.height_m
    done = [1, 3, 6, 9, 11, 12]
    return [before.height_m + change * twelfths / 12 for twelfths in done]


def clears_the_bar(height_m: float, draught_m: float, bar_m: float = -0.4) -> bool:
    """Say whether a boat floats over the harbour bar with half a metre to spare."""
    return height_m - bar_m - draught_m >= 0.5
