"""Texts in a workbook that are made of runs, each in a type of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import (
    Characters,
    End,
    Event,
    Start,
    events,
    outside,
)

_PHONETIC = frozenset({"x:rPh"})


def shown_events(package: Package, part: str) -> Iterator[Event]:
    """Parse a part, less its phonetic guides: how a word sounds, said above it."""
    return outside(events(package.pieces(part)), _PHONETIC)


def rich_texts(
    package: Package, part: str, element: str
) -> Iterator[tuple[Mapping[str, str], str]]:
    """Give the attributes and the text of each element of a name, in order."""
    attributes: Mapping[str, str] = {}
    words: list[str] = []
    is_text = False
    for event in shown_events(package, part):
        match event:
            case Start(name, found) if name == element:
                attributes = found
            case Start("x:t", _):
                is_text = True
            case Characters(text) if is_text:
                words.append(text)
            case End("x:t"):
                is_text = False
            case End(name) if name == element:
                yield attributes, "".join(words)
                words.clear()
