"""The words in and for the pictures of an Office document."""

from __future__ import annotations

import re

from pplx_local.documents.formats.office.ooxml import Relations, as_far_as_whole
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Characters, End, Start

_KINDS = frozenset({"chart", "chartEx", "diagramData"})
_MAX_LINES = 2_000
_DESCRIBED = frozenset({"docPr", "p:cNvPr"})
_FILE_NAME = re.compile(r"[/\\]|^\S+\.\w{2,4}$")


def graphic_id(event: Start) -> str | None:
    """Give the id of the chart or diagram that an element shows, if it shows one."""
    if event.name == "c:chart":
        return event.attributes.get("r:id")
    if event.name == "dgm:relIds":
        return event.attributes.get("r:dm")
    return None


def description(event: Start) -> str:
    """Give what a person wrote for a picture, not the name of the file it came from."""
    if event.name not in _DESCRIBED:
        return ""
    words = event.attributes.get("descr", "")
    return "" if _FILE_NAME.search(words) else words


def graphic_text(package: Package, known: Relations, event: Start) -> str:
    """Give the words in the chart or diagram that an element shows, if it shows one."""
    relation = known.get(graphic_id(event) or "")
    if relation is None or relation.kind not in _KINDS:
        return ""
    return "\n".join(_lines(package, relation.target))


def _lines(package: Package, part: str) -> list[str]:
    """Take titles, categories and the names of series; figures say nothing alone."""
    lines: dict[str, None] = {}
    words: list[str] = []
    is_cached = is_text = False
    for event in as_far_as_whole(package, part):
        match event:
            case Start("c:strCache", _):
                is_cached = True
            case End("c:strCache"):
                is_cached = False
            case Start("a:t", _):
                is_text = True
            case Start("c:v", _):
                is_text = is_cached
            case Characters(text) if is_text:
                words.append(text)
            case End("a:t"):
                is_text = False
            case End("a:p" | "c:v"):
                is_text = False
                line = " ".join("".join(words).split())
                words.clear()
                if line and len(lines) < _MAX_LINES:
                    lines[line] = None
    return list(lines)
