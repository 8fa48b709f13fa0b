r"""JSON: as it is written where a person laid it out, else laid out as one would.

A file of short lines keeps them. One that a program wrote without a line end would give
passages that begin and end anywhere in it and are half brackets: its members go on lines
of their own, and a blank line stands between the records of a list. Either way escapes
are undone, since "Stra\u00dfe" and "one\ntwo" hide their words. Nothing is parsed: a file
that breaks off, or nests without end, is read as far as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from pplx_local.documents.formats.text import Text
from pplx_local.errors import EmptyDocument

_HEAD_CHARS = 1 << 16
_LONG_LINE_CHARS = 1_000
_RECORDS_ON_LINES = re.compile(r"[}\]][ \t]*\n\s*[{\[]")

_HEX = "[0-9a-fA-F]"
_HIGH, _LOW = rf"\\u[dD][89abAB]{_HEX}{{2}}", rf"\\u[dD][c-fC-F]{_HEX}{{2}}"
_ESCAPE = re.compile(
    rf"(?P<cut>(?:{_HIGH})?\\(?:u{_HEX}{{0,3}})?\Z|{_HIGH}\Z)"
    rf"|(?P<pair>{_HIGH}{_LOW})|\\u(?P<code>{_HEX}{{4}})|\\(?P<other>[^\n])"
)
_BLANKS = frozenset("nrtbfv")

_TOKEN = re.compile(
    r'\s*+(?:(?:"(?P<string>[^"\\]*+(?:\\.[^"\\]*+)*+)"'
    r'|(?P<bare>[^\s{}\[\],:"]{1,1000}+))\s*+(?P<colon>:)?|(?P<mark>[{}\[\],:])|\Z)',
    re.DOTALL,
)
_MAX_TOKEN_CHARS = 1 << 24
_CODED = re.compile("[A-Za-z0-9+/=_-]{1000,}")
"""Pictures and the like: no words."""

_INDENT = "  "
_MAX_LEVELS = 8
"""Further ones are not indented, and have no blank lines between them."""


class Json(Text):
    """The text of JSON, JSON lines and what is like them."""

    def pieces(self) -> Iterator[str]:
        """Give the text with its escapes undone."""
        decoded = super().pieces()
        head = _take(decoded)
        pieces = chain((head,), decoded)
        is_blank = True
        for text in laid_out(pieces) if _is_one_line(head) else unescaped(pieces):
            is_blank = is_blank and not text.strip()
            yield text
        if is_blank and head.strip():
            raise EmptyDocument("brackets without a word between them")


def _take(pieces: Iterator[str]) -> str:
    head = ""
    for piece in pieces:
        head += piece
        if len(head) >= _HEAD_CHARS:
            break
    return head


def _is_one_line(head: str) -> bool:
    """Say whether lines are too long to be a person's, and none is a record."""
    is_long = len(head) > (head.count("\n") + 1) * _LONG_LINE_CHARS
    return is_long and not _RECORDS_ON_LINES.search(head)


def unescaped(pieces: Iterator[str]) -> Iterator[str]:
    """Undo escapes, which may lie across two pieces."""
    rest = ""
    for piece in pieces:
        text, rest = _undo_escapes(rest + piece)
        yield text
    yield rest


def _undo_escapes(text: str) -> tuple[str, str]:
    """Undo the escapes of a text.

    Returns:
        The text, and what at its end may be the start of an escape.
    """
    if "\\" not in text:
        return text, ""
    rest = ""

    def plain(escape: re.Match[str]) -> str:
        nonlocal rest
        rest = escape["cut"] or ""
        return "" if rest else _meant(escape)

    return _ESCAPE.sub(plain, text), rest


def _meant(escape: re.Match[str]) -> str:
    """Give what an escape stands for; a blank for what would end or bend a line."""
    if escape["other"]:
        return " " if escape["other"] in _BLANKS else escape["other"]
    pair = escape["pair"]
    if pair:
        units = int(pair[2:6], 16), int(pair[8:12], 16)
        return chr(0x10000 + ((units[0] & 0x3FF) << 10) + (units[1] & 0x3FF))
    code = int(escape["code"], 16)
    if 0xD800 <= code < 0xE000:
        return "\ufffd"
    return chr(code) if code >= 0x20 else " "


def laid_out(pieces: Iterator[str]) -> Iterator[str]:
    """Put the members of objects on lines of their own, without brackets and quotes."""
    layout = _Layout()
    rest = ""
    for piece in pieces:
        text = rest + piece
        rest = text[layout.write(text) :]
        yield layout.taken()
    layout.write(rest, is_all=True)
    yield layout.taken()


class _Layout:
    """Writes tokens one after the other; what is open is all that it keeps."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._n_objects = 0
        """Of those that are open."""
        self._gap = ""
        """What comes before the next word."""
        self._follows_value = False
        self._is_fresh = True

    def taken(self) -> str:
        """Give what was written since the last call."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def write(self, text: str, *, is_all: bool = False) -> int:
        """Write the tokens of a text.

        Returns:
            Where the first begins that may go on behind the text.
        """
        place = 0
        while place < len(text):
            token = _TOKEN.match(text, place)
            end = token.end() if token else len(text)
            is_over = is_all or len(text) - place > _MAX_TOKEN_CHARS
            if end == len(text) and not is_over:
                break
            if token:
                self._add(token)
            else:  # a string that never ends
                self._put(_readable(text[place + 1 :]))
            place = end
        return place

    def _add(self, token: re.Match[str]) -> None:
        word = token["bare"] or token["string"]
        if token["colon"]:
            self._separate("\n")
            self._put(f"{_readable(word or '')}:")
            self._gap = " "
            self._follows_value = False
        elif word:
            self._put(_readable(word))
            self._follows_value = True
        elif token["mark"]:
            self._turn(token["mark"])

    def _turn(self, mark: str) -> None:
        """Enter or leave a list or an object, or go to its next member."""
        if mark in "{[":
            self._separate(self._before(mark))
            self._open.append(mark)
            self._n_objects += mark == "{"
        elif mark in "}]":
            if self._open:
                self._n_objects -= self._open.pop() == "{"
            self._separate("\n")
            self._follows_value = False
        elif mark == ",":
            in_list = self._open[-1:] == ["["]
            self._separate(", " if in_list and self._follows_value else "\n")

    def _before(self, mark: str) -> str:
        """Choose what stands before a list or an object."""
        in_list = self._open[-1:] == ["["]
        if mark == "{" and in_list and len(self._open) <= _MAX_LEVELS:
            return "\n\n"
        return "\n" if mark == "{" or in_list else ""

    def _separate(self, gap: str) -> None:
        """Ask for at least this gap before the next word."""
        if (gap.count("\n"), gap) > (self._gap.count("\n"), self._gap):
            self._gap = gap

    def _put(self, word: str) -> None:
        if self._is_fresh:
            self._gap = ""
        elif "\n" in self._gap:
            self._gap += _INDENT * min(self._n_objects - 1, _MAX_LEVELS)
        self._parts += (self._gap, word)
        self._gap = ""
        self._is_fresh = False


def _readable(string: str) -> str:
    """Undo escapes, and leave out what holds no words."""
    text, rest = _undo_escapes(string)
    return _CODED.sub("…", text + rest) if len(text) > _LONG_LINE_CHARS else text + rest
