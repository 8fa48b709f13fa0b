"""Calendars and contacts: their lines made whole and plain, an entry a place."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

_ENTRIES = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VCARD"})
_NAMES = frozenset({"SUMMARY", "FN"})
_TITLES = frozenset({"X-WR-CALNAME", "NAME"})

_LINE = re.compile(
    r"(?:[\w-]{1,40}\.)?(?P<name>[A-Za-z-]{1,40})(?P<rules>;[^:]{0,500})?:(?P<value>.*)"
)
_CODED = re.compile(r"ENCODING=(?:B|BASE64)(?:;|\Z)", re.IGNORECASE)
_QUOTED = re.compile(r"QUOTED-PRINTABLE", re.IGNORECASE)
_CHARSET = re.compile(r"CHARSET=(?P<name>[\w-]{1,30})", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\dZ?)?\Z", re.ASCII)
_FOLDS = frozenset({" ", "\t"})
_MAX_LINE_CHARS = 1 << 20


class Cards(Text):
    """The entries of .ics and .vcf files, by what they are called."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._outline = Outline("heading")
        self._n_chars = 0
        self._entry: tuple[int, str] | None = None
        """Where the entry that is open began, and what it is called so far."""

    def pieces(self) -> Iterator[str]:
        """Give the lines as a person reads them; encoded ones, as pictures, are left out."""
        for line in _logical_lines(super().pieces()):
            found = _LINE.fullmatch(line)
            if found is None:
                yield self._written(line)
            elif not _CODED.search(found["rules"] or ""):
                yield self._property(found)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the entries that start in a block."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give the entries."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _property(self, found: re.Match[str]) -> str:
        name, value = (
            found["name"].upper(),
            _plain(found["value"], found["rules"] or ""),
        )
        start = self._n_chars
        text = self._written(f"{found['name']}: {value}")
        if name == "BEGIN" and value.upper() in _ENTRIES:
            self._entry = start, ""
        elif name == "END" and self._entry and value.upper() in _ENTRIES:
            self._outline.add(self._entry[0], 1, self._entry[1])
            self._entry = None
        elif name in _NAMES and self._entry and not self._entry[1]:
            self._entry = self._entry[0], value
        elif name in _TITLES and not self._entry and self._about.title is None:
            self._about.title = label(value) or None
        return text

    def _written(self, line: str) -> str:
        text = f"{line}\n"
        self._n_chars += len(text)
        return text


def _logical_lines(pieces: Iterator[str]) -> Iterator[str]:
    """Join the lines that were folded, one of bounded length after the other."""
    parts: list[str] = []
    n_chars = 0
    for line in _lines(pieces):
        is_cut = _is_cut(parts)
        if n_chars < _MAX_LINE_CHARS and parts and (is_cut or line[:1] in _FOLDS):
            parts.append(line if is_cut else line[1:])
            n_chars += len(line)
        else:
            yield from ("".join(parts),) if parts else ()
            parts, n_chars = [line], len(line)
    yield from ("".join(parts),) if parts else ()


def _is_cut(parts: list[str]) -> bool:
    """Say whether a quoted value goes on, and take off the sign that says so."""
    if not parts or not parts[-1].endswith("=") or not _QUOTED.search(parts[0], 0, 500):
        return False
    parts[-1] = parts[-1][:-1]
    return True


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    """Cut a text into its lines."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from lines
        if len(rest) > _MAX_LINE_CHARS:
            yield rest
            rest = ""
    if rest:
        yield rest


def _plain(value: str, rules: str) -> str:
    """Undo what the format does to a value; a day and a time become readable."""
    if _QUOTED.search(rules):
        charset = _CHARSET.search(rules)
        data = quopri.decodestring(value.encode())
        value = clean(_decoded(data, charset["name"] if charset else "utf-8"))
    value = _ESCAPE.sub(lambda one: " " if one[1] in "nN" else one[1], value)
    day = _TIME.match(value)
    if day is None:
        return " ".join(value.split())
    year, month, number, hour, minute = day.groups()
    return f"{year}-{month}-{number}" + (f" {hour}:{minute}" if hour else "")


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")
