"""What stands beside the cells of a sheet: comments, boxes of text, charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pplx_local.documents.formats.graphics import graphic_text
from pplx_local.documents.formats.ooxml import Relations, main_part, relations
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Characters, End, Start, events
from pplx_local.errors import Unreadable

_MAX_ASIDES = 2_000


class Aside(NamedTuple):
    """Words that are in no cell."""

    cell: str
    """What they hang on, as "B7"; empty for those that float."""
    text: str


def asides_of(package: Package) -> Mapping[str, list[Aside]]:
    """Collect them by the name of the sheet; parts that are damaged are passed over."""
    try:
        sheets = dict(_sheets(package))
    except Unreadable:
        return {}
    return {name: _beside(package, part) for name, part in sheets.items()}


def _sheets(package: Package) -> Iterator[tuple[str, str]]:
    """Name the part of each sheet."""
    workbook = main_part(package, "xl/workbook.xml")
    if not workbook.endswith(".xml"):  # .xlsb
        return
    parts = relations(package, workbook)
    for event in events(package.pieces(workbook)):
        if isinstance(event, Start) and event.name == "x:sheet":
            part = parts.get(event.attributes.get("r:id", ""))
            if part:
                yield event.attributes.get("name", ""), part.target


def _beside(package: Package, sheet: str) -> list[Aside]:
    asides: list[Aside] = []
    try:
        parts = relations(package, sheet)
        for part in parts.of_kind("comments"):
            asides += _comments(package, part)
        for part in parts.of_kind("drawing"):
            asides += _drawn(package, part)
    except Unreadable:
        pass
    return [aside for aside in asides if aside.text][:_MAX_ASIDES]


def _comments(package: Package, part: str) -> Iterator[Aside]:
    cell = ""
    words: list[str] = []
    is_text = False
    for event in events(package.pieces(part)):
        match event:
            case Start("x:comment", attributes):
                cell = attributes.get("ref", "")
            case Start("x:t" | "x:rPh" as name, _):
                is_text = name == "x:t"
            case Characters(text) if is_text:
                words.append(text)
            case End("x:t"):
                is_text = False
            case End("x:comment"):
                yield Aside(cell, " ".join("".join(words).split()))
                words.clear()


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
