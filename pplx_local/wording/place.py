"""Where something lies, in the words of its format: a page, a slide, cells, a chapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pplx_local.answer import Place

_SPEAKS_FOR_ITSELF = "heading"
_WITHIN_LINES = ("heading", "symbol")
"""Kinds of places that say less than the line does to somebody who looks for it."""


def place_in_words(place: Sequence[Place]) -> str:
    """Say `page 3 > Results`, `sheet Budget > cells A12:F12`, `symbol Pump > start`.

    A heading needs no word for what it is, nor does a part of one that is of its kind,
    or that is named so: `Chapter 1`. What its outer part says is not said again.
    """
    return " > ".join(_parts(place))


def part_in_words(kind: str, label: str) -> str:
    """Say what one part of a document is: `slide 4`, `cell B7`, `Results`."""
    if kind == _SPEAKS_FOR_ITSELF or label.lower().startswith(kind):
        return label
    plural = "s" if kind == "cell" and ":" in label else ""
    return f"{kind}{plural} {label}"


def place_or_line(place: Sequence[Place], line: int) -> str:
    """Say the page, the slide or the cells, where there are such; else the line."""
    return outer_part(place) or f"line {line}"


def outer_part(place: Sequence[Place]) -> str:
    """Say what a person can turn to: `slide 4`, `chapter Loomings`; empty for none."""
    return place_in_words([one for one in place if one.kind not in _WITHIN_LINES])


def _parts(place: Sequence[Place]) -> Iterator[str]:
    last_kind = last_label = ""
    for kind, label in place:
        if label != last_label:
            yield label if kind == last_kind else part_in_words(kind, label)
        last_kind, last_label = kind, label
