"""Headings of texts that are marked up by hand: reStructuredText, AsciiDoc, Org."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import NamedTuple

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

# The literal line end in front makes a search several times faster than "^", and every
# repetition is bounded: the time stays linear whatever the file holds.
_MARKS = r"[!-/:-@\[-`{-~]"
_UNDERLINED = re.compile(
    rf"\n(?:(?P<over>(?P<mark>{_MARKS})(?P=mark){{2,300}})[ \t]{{0,9}}\n)?"
    rf"(?P<words>[^\n]{{1,300}})\n(?P<under>({_MARKS})\5{{1,300}})[ \t]{{0,9}}(?=\n|\Z)"
)
_LEAST_UNDERLINE = 4
"""A shorter line than the words below them is enough from here on."""

_ASCIIDOC = re.compile(
    r"\n(?:(?P<signs>={1,6}|#{1,6})[ \t]{1,9}(?P<title>[^\n]{1,300})"
    r"|(?P<fence>([-.+/])\4{3,300})[ \t]{0,9}"
    r"|(?P<words>\w[^\n]{0,299})\n(?P<under>([=\-~^+])\7{1,300})[ \t]{0,9})(?=\n|\Z)"
)
_FENCE = re.compile(r"([-+])\1{3,300}")
_ASCIIDOC_MARKS = "=-~^+"
_ORG = re.compile(r"\n(?P<stars>\*{1,9})[ \t]{1,9}(?P<words>[^\n]{1,300})")
_ORG_TAGS = re.compile(r"\s{1,20}:[\w@#%:]{1,100}:$")
_ORG_STATE = re.compile(
    r"(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED)\s{1,9})?(?:\[#\w\]\s{0,9})?"
)
_FIELD = re.compile(
    r"^(?::|#\+)(\w{1,30})[ \t]{0,9}:[ \t]{1,9}([^\n]{1,300})", re.MULTILINE
)
_ASCIIDOC_AUTHOR = re.compile(r"\A= [^\n]{1,300}\n([^\n<>:]{1,100} <[^\s<>]{1,100}>)")
_ROLE = re.compile(r"(?::[\w:-]{1,40}:)?`{1,2}([^`]{1,200})`{1,2}_{0,2}")
_HEAD_CHARS = 10_000
"""Where fields are looked for that say something of the whole text."""
_DATES = ("date", "revdate", "created", "updated", "modified")


class Heading(NamedTuple):
    """A heading in a run of lines."""

    start: int
    """Where its line begins, after the line end in front of it."""
    level: int
    """1 for the highest."""
    words: str


class Headings(Text):
    """The text as it is written, with its headings as places."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._outline = Outline("heading")
        self._find = _FINDERS[kind.label]()

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find the headings of a block."""
        if char_start == 0:
            self._read_fields(text[:_HEAD_CHARS])
        for start, level, words in self._find("\n" + text):
            self._outline.add(char_start + start, level, words)
            if level == 1 and self._about.title is None:
                self._about.title = label(words) or None
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give title, author, day and headings."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _read_fields(self, head: str) -> None:
        fields = {name.lower(): words.strip() for name, words in _FIELD.findall(head)}
        self._about.title = label(fields.get("title", "")) or None
        named = _ASCIIDOC_AUTHOR.match(head)
        author = fields.get("author") or fields.get("authors") or (named and named[1])
        if author:
            self._about.metadata["author"] = label(author)
        stated = (fields[name].strip("<[]>") for name in _DATES if name in fields)
        self._about.day = next(filter(None, map(read_day, stated)), None)


class _Underlined:
    """Finds titles of reStructuredText, whose marks mean what they mean first."""

    def __init__(self) -> None:
        self._styles: list[tuple[str, bool]] = []

    def __call__(self, lines: str) -> Iterator[Heading]:
        for found in _UNDERLINED.finditer(lines):
            words, under = found["words"], found["under"]
            if not _is_title(words, found["over"], under):
                continue
            style = (under[0], found["over"] is not None)
            if style not in self._styles:
                self._styles.append(style)
            level = self._styles.index(style) + 1
            yield Heading(found.start(), level, _ROLE.sub(r"\1", words.strip()))


def _is_title(words: str, over: str | None, under: str) -> bool:
    if not words.strip(words[0]) or (over is None and words[0].isspace()):
        return False
    enough = len(under) >= min(len(words.rstrip()), _LEAST_UNDERLINE)
    return enough and (over is None or over[0] == under[0])


class _AsciiDoc:
    """Finds titles of AsciiDoc, in both of the ways to write them."""

    def __init__(self) -> None:
        self._fence = ""
        """The line that opened the block we are in; empty outside."""

    def __call__(self, lines: str) -> Iterator[Heading]:
        for found in _ASCIIDOC.finditer(lines):
            words, under = found["words"], found["under"]
            if found["fence"]:
                self._open_or_close(found["fence"])
            elif found["signs"] and not self._fence:
                title = found["title"].strip()
                yield Heading(found.start(), len(found["signs"]), title)
            elif under and not self._fence and abs(len(words) - len(under)) <= 1:
                level = _ASCIIDOC_MARKS.index(under[0]) + 1
                yield Heading(found.start(), level, words.strip())
            elif under and _FENCE.fullmatch(under):
                self._open_or_close(under)

    def _open_or_close(self, fence: str) -> None:
        if not self._fence:
            self._fence = fence
        elif self._fence == fence:
            self._fence = ""


class _Org:
    """Finds headings of Org mode, without their states, priorities and tags."""

    def __call__(self, lines: str) -> Iterator[Heading]:
        for found in _ORG.finditer(lines):
            words = _ORG_TAGS.sub("", found["words"].rstrip())
            state = _ORG_STATE.match(words)
            words = words[state.end() :] if state else words
            yield Heading(found.start(), len(found["stars"]), words)


_FINDERS: MappingProxyType[str, Callable[[], Callable[[str], Iterator[Heading]]]] = (
    MappingProxyType(
        {"reStructuredText": _Underlined, "AsciiDoc": _AsciiDoc, "Org": _Org}
    )
)
