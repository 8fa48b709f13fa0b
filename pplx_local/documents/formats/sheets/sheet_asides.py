"""What stands beside the cells of a sheet: comments, boxes of text, charts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from pplx_local.documents.formats.office.graphics import graphic_text
from pplx_local.documents.formats.office.ooxml import Relations, relations
from pplx_local.documents.formats.sheets.rich_text import rich_texts
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Characters, End, Start, events
from pplx_local.errors import Unreadable

_MAX_ASIDES = 2_000


class Aside(NamedTuple):
    """Words that are in no cell."""

    cell: str
    """What they hang on, as "B7"; empty for those that float."""
    text: str


def asides_of(package: Package, sheet: str) -> list[Aside]:
    """Collect those of the sheet that is this part; damaged ones are passed over."""
    asides: list[Aside] = []
    with contextlib.suppress(Unreadable):
        parts = relations(package, sheet)
        for part in parts.of_kind("comments"):
            asides += _comments(package, part)
        for part in parts.of_kind("drawing"):
            asides += _drawn(package, part)
    return [aside for aside in asides if aside.text][:_MAX_ASIDES]


def _comments(package: Package, part: str) -> Iterator[Aside]:
    for attributes, text in rich_texts(package, part, "x:comment"):
        yield Aside(attributes.get("ref", ""), " ".join(text.split()))


def _drawn(package: Package, part: str) -> Iterator[Aside]:
    known: Relations = relations(package, part)
    words: list[str] = []
    is_text = False
    for event in events(package.pieces(part)):
        match event:
            case Start("a:t", _):
                is_text = True
            case End("a:t"):
                is_text = False
            case Characters(text) if is_text:
                words.append(text)
            case End("a:p") if words:
                yield Aside("", " ".join("".join(words).split()))
                words.clear()
            case Start():
                for line in graphic_text(package, known, event).splitlines():
                    yield Aside("", line)
