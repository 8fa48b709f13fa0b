"""Which styles of a Word document are headings, titles and lists."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pplx_local.documents.formats.office.ooxml import as_far_as_whole
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import End, Start

_HEADING = re.compile(r"(?:heading|head|h) ?([1-9])$")
_LETTERED = re.compile(r"head(?:ing)? ?([a-f])$")
_CODE = re.compile(r"\bcode|preformatted|verbatim|source (code|text)")
_TITLES = frozenset({"title", "chapter title", "chaptertitle"})
_LEVELS = frozenset("012345678")
"""9 is body text."""

_MAX_BASES = 20


@dataclass(slots=True)
class Style:
    """What a paragraph style makes of its paragraphs."""

    level: int = 0
    """1 to 9 for a heading, 0 for what the style says nothing of."""
    is_title: bool = False
    is_line: bool = False
    base: str = ""
    """The id of the style that this one is made from."""


def read_styles(package: Package, part: str) -> dict[str, Style]:
    """Read the paragraph styles of a document by their ids.

    The ids are in the writer's language, and so may be the names of their own styles;
    those that come with Word are named in English in every file.
    """
    styles: dict[str, Style] = {}
    style = Style()
    for event in as_far_as_whole(package, part):
        match event:
            case Start("w:style", at):
                style = Style()
                if at.get("w:type", "paragraph") == "paragraph":
                    styles[at.get("w:styleId", "")] = style
            case Start("w:name", at):
                _note_name(style, at.get("w:val", ""))
            case Start("w:basedOn", at):
                style.base = at.get("w:val", "")
            case Start("w:outlineLvl", at):
                style.level = outline_level(at)
            case Start("w:numPr", _):
                style.is_line = True
            case End("w:style"):
                style = Style()
    return {id_: _resolved(styles, id_) for id_ in styles}


def outline_level(attributes: dict[str, str]) -> int:
    """Give the level of a heading; 0 for body text."""
    value = attributes.get("w:val", "")
    return int(value) + 1 if value in _LEVELS else 0


def _note_name(style: Style, name: str) -> None:
    """Know Word's own names, and those that publishers give: HeadA, Chapter Title."""
    name = name.strip().lower()
    style.is_title = name in _TITLES
    style.is_line = _CODE.search(name) is not None
    if heading := _HEADING.match(name):
        style.level = int(heading[1])
    elif heading := _LETTERED.match(name):
        style.level = ord(heading[1]) - ord("a") + 1


def _resolved(styles: dict[str, Style], id_: str) -> Style:
    """Let a style have what those have that it is made from."""
    resolved = Style(is_title=styles[id_].is_title)
    for _ in range(_MAX_BASES):
        style = styles.get(id_)
        if style is None:
            break
        resolved.level = resolved.level or style.level
        resolved.is_line = resolved.is_line or style.is_line
        id_ = style.base
    return resolved
