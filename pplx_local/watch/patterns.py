"""A line of an ignore file: what it means to git, as a pattern over bytes.

Own code, since a library that makes plain regular expressions of such lines lets a few
stars in one of them stop a walk for years, and reads some of them otherwise than git.
Here the time is bounded by the length of the pattern times that of the path: between
two stars the first fit is taken, and never taken back (`(?>...)`).
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

LONGEST_GLOB = 1_024
"""Bytes of a pattern with wildcards; a plain path may be longer."""

_SPECIAL = re.compile(rb"[*?\[\\]")
_LITERAL = re.compile(rb"[^*?\[\\]+")
_STARS = re.compile(rb"\*+")
_BRACKETS = re.compile(rb"\[[^]]*\]?")
_NEVER = rb"(?!)"
_FOLDERS = rb"(?:[^/]*/)"

_CLASSES = {
    b"alnum": string.ascii_letters + string.digits,
    b"alpha": string.ascii_letters,
    b"blank": " \t",
    b"cntrl": bytes([*range(32), 127]).decode(),
    b"digit": string.digits,
    b"graph": bytes(range(33, 127)).decode(),
    b"lower": string.ascii_lowercase,
    b"print": bytes(range(32, 127)).decode(),
    b"punct": string.punctuation,
    b"space": string.whitespace,
    b"upper": string.ascii_uppercase,
    b"xdigit": string.hexdigits,
}

Way: TypeAlias = tuple[str, bytes]
"""A wildcard or none, and the regular expression of what follows, of fixed length."""


class Senseless(Exception):
    """A pattern that matches nothing, such as one with an open bracket."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one line of an ignore file asks for."""

    line: int
    """Its number, from 1."""
    text: bytes
    """As it stands there."""
    glob: bytes
    """Without the `!` in front and the slashes at either end."""
    is_negated: bool
    """Whether it takes back what lines above it ask for."""
    is_for_folders: bool
    """Whether it means folders alone."""
    is_path: bool
    """Whether it means a path below the file's folder; else a name, at any depth."""

    @property
    def is_plain(self) -> bool:
        """Tell whether it has no wildcard."""
        return not is_pattern(self.glob)

    @property
    def suffix(self) -> bytes | None:
        """Give `.log` for `*.log`; None for all other kinds of patterns."""
        rest = self.glob[1:]
        is_one = self.glob.startswith(b"*") and not self.is_path
        return rest if is_one and not _SPECIAL.search(rest) else None

    def says(self, name: bytes) -> bool:
        """Tell whether the pattern has this very name in it."""
        return self.glob.rpartition(b"/")[2] == name

    def means(self, name: bytes) -> bool:
        """Tell whether a pattern that matches a name means it, and not just anything.

        `*` and `*.*` mean nothing; and a hidden name only what begins with a dot
        itself, as in a shell.
        """
        last = self.glob.rpartition(b"/")[2]
        if name.startswith(b".") and not last.startswith(b"."):
            return False
        return re.search(rb"[^\W_]|[\x80-\xff]", _BRACKETS.sub(b"", last)) is not None


def is_pattern(glob: bytes) -> bool:
    """Tell whether something stands for more than itself."""
    return _SPECIAL.search(glob) is not None


def parse(line: bytes, number: int) -> Pattern | None:
    """Read a line as git does; None for one that asks for nothing.

    Args:
        line: Without its end.
        number: From 1.
    """
    text = _trimmed(line.partition(b"\0")[0])
    if text.startswith(b"#"):
        return None
    is_negated = text.startswith(b"!")
    glob = text[is_negated:]
    is_for_folders = glob.endswith(b"/")
    glob = glob[: len(glob) - is_for_folders]
    is_path = b"/" in glob
    glob = glob.removeprefix(b"/")
    if not glob:
        return None
    return Pattern(number, text, glob, is_negated, is_for_folders, is_path)


def _trimmed(line: bytes) -> bytes:
    """Take spaces off the end, but for those behind a backslash."""
    bare = line.rstrip(b" ")
    n_slashes = len(bare) - len(bare.rstrip(b"\\"))
    is_escaped = n_slashes % 2 == 1 and len(bare) < len(line)
    return line[: len(bare) + is_escaped]


# --- wildcards ---------------------------------------------------------------


@lru_cache(1_024)  # most people's ignore files say the same
def compiled(glob: bytes) -> re.Pattern[bytes]:
    """Compile a pattern, for `fullmatch` on a name or a path."""
    try:
        source = _source(glob)
    except Senseless:
        source = _NEVER
    return re.compile(source, re.DOTALL)


def _source(glob: bytes) -> bytes:
    """Translate a pattern into a regular expression.

    Stretches between two `**` are matched at the first folder where they fit. It is
    git's habit to take what has no wildcard off the front, so that `a**/b` begins with
    a `**` of the kind that stands for folders.
    """
    special = _SPECIAL.search(glob)
    start = special.start() if special else len(glob)
    stretches: list[list[Way]] = []
    for way in _ways(glob[start:]):
        if way[0] == "*":
            stretches[-1].append(way)
        else:
            stretches.append([way])
    *firsts, last = stretches
    ahead = b"".join(b"(?>%s)" % _stretch(one, is_last=False) for one in firsts)
    return re.escape(glob[:start]) + ahead + _stretch(last, is_last=True)


def _stretch(ways: list[Way], *, is_last: bool) -> bytes:
    wild, fixed = ways[0]
    before = {"": b"", "**": b".*", "**/": _FOLDERS + b"*?", "**\\/": _FOLDERS + b"+?"}
    parts = [before[wild], fixed]
    for place, (_, then) in enumerate(ways[1:], 2):
        is_free = is_last and place == len(ways)
        parts.append((b"[^/]*%s" if is_free else b"(?>[^/]*?%s)") % then)
    return b"".join(parts)


def _ways(glob: bytes) -> Iterator[Way]:
    """Cut a pattern at its wildcards: each, the first of them none, and what follows."""
    at, wild, fixed = 0, "", b""
    while at < len(glob):
        if glob[at : at + 1] == b"*":
            yield wild, fixed
            (wild, at), fixed = _wildcard(glob, at), b""
        else:
            one, at = _letters(glob, at)
            fixed += one
    yield wild, fixed


def _wildcard(glob: bytes, at: int) -> tuple[str, int]:
    """Tell which wildcard stands at a place, and where the rest begins."""
    found = _STARS.match(glob, at)
    assert found, "there is a star"
    end = found.end()
    rest = glob[end : end + 2]
    is_apart = at == 0 or glob[at - 1 : at] == b"/"
    if end - at == 1 or not is_apart:
        return "*", end
    if not rest:
        return "**", end
    if rest.startswith(b"/"):
        return "**/", end + 1
    return ("**\\/", end + 2) if rest == b"\\/" else ("*", end)


def _letters(glob: bytes, at: int) -> tuple[bytes, int]:
    """Translate what is no star: letters, or what stands for one of several."""
    if found := _LITERAL.match(glob, at):
        return re.escape(found[0]), found.end()
    match glob[at : at + 1]:
        case b"?":
            return b"[^/]", at + 1
        case b"[":
            return _bracket(glob, at + 1)
        case _:
            return re.escape(_one(glob, at + 1)), at + 2


def _one(glob: bytes, at: int) -> bytes:
    if at >= len(glob):
        raise Senseless
    return glob[at : at + 1]


def _bracket(glob: bytes, at: int) -> tuple[bytes, int]:
    """Translate what stands in brackets; `at` is behind the first."""
    is_negated = glob[at : at + 1] in (b"!", b"^")
    at += is_negated
    members: set[int] = set()
    before: int | None = None  # the beginning of what may be a range
    first = at
    while _one(glob, at) != b"]" or at == first:
        more, before, at = _members(glob, at, before)
        members |= more
    if is_negated:
        members = set(range(256)) - members
    return _any_of(members - {ord("/")}), at + 1


def _members(
    glob: bytes, at: int, before: int | None
) -> tuple[Set[int], int | None, int]:
    """Read one entry of a bracket: a letter, a range, a class by name.

    Returns:
        What it adds, the letter that a range may begin with, and where the next begins.
    """
    one = _one(glob, at)
    if one == b"-" and before and glob[at + 1 : at + 2] not in (b"", b"]"):
        last, at = _letter(glob, at + 1)
        return set(range(before, last + 1)), None, at
    if glob.startswith(b"[:", at):
        end = glob.find(b"]", at + 2)
        if end < 0:
            raise Senseless
        if end > at + 2 and glob[end - 1 : end] == b":":
            return _class(glob[at + 2 : end - 1]), None, end + 1
    letter, at = _letter(glob, at)
    return {letter}, letter, at


def _letter(glob: bytes, at: int) -> tuple[int, int]:
    at += _one(glob, at) == b"\\"
    return ord(_one(glob, at)), at + 1


def _class(name: bytes) -> Set[int]:
    if name not in _CLASSES:
        raise Senseless
    return set(_CLASSES[name].encode())


def _any_of(members: Set[int]) -> bytes:
    if not members:
        return _NEVER
    return b"[%s]" % b"".join(b"\\x%02x" % one for one in sorted(members))
