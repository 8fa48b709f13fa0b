"""XML as runs of text and of markup, in the order and with the lines of the file.

Nothing is expanded, fetched or refused: what is not well-formed is read as far as it
makes sense, and what makes none is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from typing import NamedTuple

from pplx_local.documents.formats.flow import clean

_MAX_TOKEN_CHARS = 1 << 24

_OPENING = re.compile(r"<(?:/?[^\W\d]|!--|!\[CDATA\[|!\w|\?)")
# No value holds a "<", so that a search that fails ends before the next one begins.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[^\W\d][\w:.-]*+)"
    r"(?P<attributes>(?:[^<>\"'/]++|/(?!>)|\"[^\"<]*+\"|'[^'<]*+')*+)(?P<empty>/?)>"
)
_DECLARATION = re.compile(r"<!\w[^\[<>]*+(?:>|(?P<subset>\[))")
_SUBSET_END = re.compile(r"\]\s*+>")
_CDATA = "<![CDATA["
_ENDS = {"<!--": "-->", _CDATA: "]]>", "<?": "?>"}

_ENTITY = re.compile(
    r"&(?:#(?P<number>\d{1,7})|#[xX](?P<hex>[0-9a-fA-F]{1,6})|(?P<name>\w{1,31}));"
)
_CUT = re.compile(r"(?:&[#\w]{0,31}|<(?:/|![-\[\w]{0,8})?)\Z")
"""What may be the start of an entity, or an opening."""
_CUT_CHARS = 40


class Words(NamedTuple):
    """A run of text, perhaps not all of it, its characters as they are meant."""

    text: str


class Markup(NamedTuple):
    """A tag, or anything else that is no text: a comment, an instruction."""

    n_lines: int
    """That end in it."""
    name: str = ""
    """Of the element, in small letters, without its prefix; empty for no tag."""
    attributes: str = ""
    """As they are written."""
    is_end: bool = False
    is_empty: bool = False
    """Whether the element ends with the tag that it begins with."""


Token = Words | Markup


def tokens(pieces: Iterable[str]) -> Iterator[Token]:
    """Take a text apart as its pieces come, in bounded memory and linear time."""
    rest = ""
    for piece in pieces:
        text, end = rest + piece, 0
        for token, following in _whole_tokens(text):
            yield token
            end = following
        if len(text) - end > _MAX_TOKEN_CHARS:
            yield Words(_meant(text[end:]))
            end = len(text)
        rest = text[end:]
    if rest:
        yield Words(_meant(rest))


def _whole_tokens(text: str) -> Iterator[tuple[Token, int]]:
    """Give the tokens that do not go on behind the text, each with where it ends."""
    place = 0
    while opening := _OPENING.search(text, place):
        start = opening.start()
        if start > place:
            yield Words(_meant(text[place:start])), start
        found = _token(text, start)
        if found is None:
            return
        yield found
        place = found[1]
    cut = _CUT.search(text, max(place, len(text) - _CUT_CHARS))
    end = cut.start() if cut else len(text)
    if end > place:
        yield Words(_meant(text[place:end])), end


def _token(text: str, start: int) -> tuple[Token, int] | None:
    """Read what an opening begins; None if it may go on behind the text."""
    if tag := _TAG.match(text, start):
        return _markup(tag), tag.end()
    for opening, closing in _ENDS.items():
        if text.startswith(opening, start):
            return _enclosed(text, start, opening, closing)
    if declaration := _DECLARATION.match(text, start):
        end = declaration.end()
        last = _SUBSET_END.search(text, end) if declaration["subset"] else declaration
        return (_no_tag(text, start, last.end()), last.end()) if last else None
    is_text = text.find("<", start + 1) >= 0
    return (Words("<"), start + 1) if is_text else None


def _markup(tag: re.Match[str]) -> Markup:
    name = tag["name"].rpartition(":")[2].lower()
    n_lines = tag["attributes"].count("\n")
    return Markup(
        n_lines, name, tag["attributes"], bool(tag["end"]), bool(tag["empty"])
    )


def _enclosed(
    text: str, start: int, opening: str, closing: str
) -> tuple[Token, int] | None:
    inner = start + len(opening)
    end = text.find(closing, inner)
    if end < 0:
        return None
    after = end + len(closing)
    if opening == _CDATA:
        return Words(clean(text[inner:end])), after
    return _no_tag(text, start, after), after


def _no_tag(text: str, start: int, end: int) -> Markup:
    return Markup(text.count("\n", start, end))


def _meant(text: str) -> str:
    return clean(_ENTITY.sub(_character, text) if "&" in text else text)


def _character(entity: re.Match[str]) -> str:
    """Give what an entity of XML or HTML stands for; one of the file's own stays."""
    if entity["name"]:
        return html5.get(f"{entity['name']};", entity[0])
    code = int(entity["number"] or entity["hex"], 10 if entity["number"] else 16)
    if code in (9, 10, 13):  # a line end here would be none of the file's
        return " "
    return chr(code) if code < 0x110000 else "\ufffd"
