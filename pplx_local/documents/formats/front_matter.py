"""Front matter: what the first lines of a Markdown file say of it, between two fences.

It is read line by line and nothing in it is expanded: YAML may hold an alias bomb.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_LINES = r"((?:[^\n]{0,2000}\n){0,200}?)"
_YAML = re.compile(rf"\A---[ \t]*\n{_LINES}(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_TOML = re.compile(rf"\A\+\+\+[ \t]*\n{_LINES}\+\+\+[ \t]*(?:\n|\Z)")
_FIELD = re.compile(
    r"(?P<key>[A-Za-z_][\w-]{0,40})(?::(?=[ \t]|$)|[ \t]*=)[ \t]*(?P<value>.{0,500})"
)
_ITEM = re.compile(r"[ \t]*-[ \t]+(?:name:[ \t]+)?(?P<value>.{1,500})")
_NAME = re.compile(r"[ \t]+name:[ \t]+(?P<value>.{1,500})")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|[^,\"']+")
_NOT_PLAIN = tuple("&*{|>!")
"""What begins a value that is no plain text, but an anchor, a map, a block."""
_MAX_FIELDS = 50
_MAX_CHARS = 500


class FrontMatter(NamedTuple):
    """What is stated, and where the text behind it begins."""

    fields: dict[str, str]
    """By lower-case key; the items of a list with commas between them."""
    end: int


def front_matter(text: str) -> FrontMatter:
    """Read the front matter of a text; nothing, and 0, where there is none."""
    matter = _YAML.match(text) or _TOML.match(text)
    if matter is None:
        return FrontMatter({}, 0)
    fields: dict[str, str] = {}
    for key, value in _stated(matter[1].split("\n")):
        before = fields.get(key)
        if before is None and len(fields) == _MAX_FIELDS:
            break
        fields[key] = f"{before}, {value}"[:_MAX_CHARS] if before else value
    if "author" not in fields and "authors" in fields:
        fields["author"] = fields["authors"]
    return FrontMatter(fields, matter.end())


def _stated(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give keys with their values, an item of a list at a time."""
    key = ""
    for line in lines:
        if field := _FIELD.match(line):
            key = field["key"].lower()
            part: re.Match[str] | None = field
        else:
            part = _ITEM.match(line) or _NAME.match(line)
        value = _plain(part["value"]) if part and key else ""
        if value:
            yield key, value


def _plain(value: str) -> str:
    """Take off quotes and brackets; nothing is left of what is no plain text."""
    value = value.strip()
    if value.startswith("[") and value.endswith("]"):
        items = (item.strip(" \t\"'") for item in _QUOTED.findall(value[1:-1]))
        return ", ".join(item for item in items if item and item[0] not in _NOT_PLAIN)
    return "" if value.startswith((*_NOT_PLAIN, "#")) else value.strip("\"'")
