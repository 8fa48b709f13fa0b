"""Files that say what is passed over: `.pplxignore`, `.ignore` and `.gitignore`."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pplx_local.watch.patterns import LONGEST_GLOB, Pattern, compiled, parse

OWN, PLAIN, GIT = b".pplxignore", b".ignore", b".gitignore"
NAMES = frozenset((OWN, PLAIN, GIT))

LONGEST_FILE = 1_000_000
MOST_PATTERNS = 20_000
"""In one file."""
MOST_WILDCARDS = 2_000
"""Of them with wildcards, each of which costs time for every name."""

_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_BOM = b"\xef\xbb\xbf"
_LONGEST_TOLD = 100
_BY_RULE = "ignored by "


class _Wild(NamedTuple):
    line: int
    is_path: bool
    fits: Callable[[bytes], object]
    pattern: Pattern

    @classmethod
    def of(cls, pattern: Pattern) -> _Wild:
        fits = compiled(pattern.glob).fullmatch
        return cls(pattern.line, pattern.is_path, fits, pattern)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Patterns, so laid out that a name is compared with few of them."""

    names: Mapping[bytes, Pattern]
    paths: Mapping[bytes, Pattern]
    suffixes: Mapping[bytes, Pattern]
    lengths: tuple[int, ...]
    """Of the suffixes."""
    wild: tuple[_Wild, ...]
    """All others, the last line first."""

    @classmethod
    def of(cls, patterns: Iterable[Pattern]) -> _Lines:
        """Lay out the patterns of a file; of two that are equal the later one counts."""
        names: dict[bytes, Pattern] = {}
        paths: dict[bytes, Pattern] = {}
        suffixes: dict[bytes, Pattern] = {}
        wild: list[_Wild] = []
        for one in patterns:
            if one.is_plain:
                (paths if one.is_path else names)[one.glob] = one
            elif one.suffix is not None:
                suffixes[one.suffix] = one
            else:
                wild.append(_Wild.of(one))
        lengths = tuple({len(suffix) for suffix in suffixes})
        return cls(names, paths, suffixes, lengths, tuple(reversed(wild)))

    def last(self, path: bytes, name: bytes) -> Pattern | None:
        """Find the last line that matches."""
        best = self._last_of_the_plain(path, name)
        after = best.line if best else 0
        for line, is_path, fits, pattern in self.wild:
            if line < after:
                break
            if fits(path if is_path else name):
                return pattern
        return best

    def _last_of_the_plain(self, path: bytes, name: bytes) -> Pattern | None:
        best = self.names.get(name)
        if (one := self.paths.get(path)) and not (best and best.line > one.line):
            best = one
        for length in self.lengths:
            one = self.suffixes.get(name[-length:]) if length else self.suffixes[b""]
            if one and not (best and best.line > one.line):
                best = one
        return best


class IgnoreFile:
    """What one such file says of all that lies below its folder.

    Attributes:
        path: Of the file.
        base: Of the folder that its patterns begin at, with a slash at its end.
        why_not: Why it is not honoured, or not in all its lines.
    """

    def __init__(
        self,
        path: bytes,
        base: bytes,
        patterns: Iterable[Pattern] = (),
        why_not: str | None = None,
    ) -> None:
        self.path, self.why_not = path, why_not
        self.base = base.rstrip(b"/") + b"/"
        self._patterns = tuple(patterns)

    @property
    def n_patterns(self) -> int:
        """How many lines of it are honoured."""
        return len(self._patterns)

    def last(self, path: bytes, name: bytes, *, is_folder: bool) -> Pattern | None:
        """Find the last line that matches something below its folder.

        Args:
            path: Absolute.
            name: The end of it.
            is_folder: Whether it is a folder, and no link to one.
        """
        lines = self._for_folders if is_folder else self._for_files
        return lines.last(path[len(self.base) :], name)

    @cached_property
    def _for_folders(self) -> _Lines:
        return _Lines.of(self._patterns)

    @cached_property
    def _for_files(self) -> _Lines:
        return _Lines.of(one for one in self._patterns if not one.is_for_folders)

    def reason(self, pattern: Pattern) -> str:
        """Say which line of which file a name is passed over by."""
        name = in_words(self.path.removeprefix(self.base))
        text, folder = in_words(pattern.text), in_words(self.base[:-1] or b"/")
        if len(text) > _LONGEST_TOLD:
            text = f"{text[:_LONGEST_TOLD]}…"
        return f"{_BY_RULE}{name} line {pattern.line}: {text} (in {folder})"

    @property
    def note(self) -> str | None:
        """Say why it is not honoured; None where it is."""
        return self.why_not and f"rules that are not honoured: {self.why_not}"


def in_short(reason: str) -> str:
    """Leave the line out of a reason, so that files can be counted by it."""
    return reason.partition(" line ")[0] if reason.startswith(_BY_RULE) else reason


def in_words(raw: bytes) -> str:
    """Give bytes of a file's name as text that can be stored and sent."""
    return raw.decode("utf-8", "backslashreplace")


def read_ignore_file(path: bytes, base: bytes) -> IgnoreFile | None:
    """Read such a file; None where there is none.

    What cannot be read, is no file of its own, or is too much to be what somebody
    wrote, counts as empty and says why.
    """
    try:
        text = _read(path)
    except _NOT_THERE:
        return None
    except OSError as error:
        return IgnoreFile(path, base, why_not=_words(error))
    if len(text) > LONGEST_FILE:
        return IgnoreFile(path, base, why_not=f"longer than {LONGEST_FILE:,} bytes")
    return IgnoreFile(path, base, *_bounded(_patterns(text)))


def _read(path: bytes) -> bytes:
    """Read a file and no pipe, and through no link, as git does it."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise IsADirectoryError
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(LONGEST_FILE + 1)
    finally:
        os.close(descriptor)


def _words(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a symbolic link"
    return (error.strerror or str(error)).lower()


def _patterns(text: bytes) -> Iterator[Pattern]:
    lines = text.removeprefix(_BOM).split(b"\n")
    for number, line in enumerate(lines, 1):
        if pattern := parse(line.removesuffix(b"\r"), number):
            yield pattern


def _bounded(patterns: Iterable[Pattern]) -> tuple[list[Pattern], str | None]:
    """Leave out what would cost too much, and say what was left out."""
    kept: list[Pattern] = []
    n_wild, n_left = 0, 0
    for one in patterns:
        is_wild = not one.is_plain and one.suffix is None
        is_much = is_wild and (len(one.glob) > LONGEST_GLOB or n_wild == MOST_WILDCARDS)
        if is_much or len(kept) == MOST_PATTERNS:
            n_left += 1
        else:
            n_wild += is_wild
            kept.append(one)
    why = f"{n_left:,} of its patterns, which are too long or too many"
    return kept, why if n_left else None


# --- repositories ------------------------------------------------------------


def is_repository(folder: bytes) -> bool:
    """Tell whether a folder is the top of a git repository, or of a work tree of one."""
    return os.path.exists(_git_folder(folder) + b"/HEAD")  # noqa: PTH110  bytes


def read_excludes(folder: bytes) -> IgnoreFile | None:
    """Read `.git/info/exclude` of the repository with its top here."""
    return read_ignore_file(_common(_git_folder(folder)) + b"/info/exclude", folder)


def _git_folder(folder: bytes) -> bytes:
    """Find the folder that `.git` is, or that it names in a work tree or submodule."""
    return _pointed(folder, b".git", b"gitdir: ") or folder.rstrip(b"/") + b"/.git"


def _common(git: bytes) -> bytes:
    """Find the folder that all work trees of a repository share."""
    return _pointed(git, b"commondir", b"") or git


def _pointed(folder: bytes, name: bytes, mark: bytes) -> bytes | None:
    path = os.path.join(folder, name)  # noqa: PTH118  bytes
    try:
        said = _read(path)[:4_096]
    except OSError:  # a folder too
        return None
    if not said.startswith(mark) or b"\0" in said:
        return None
    there = said.removeprefix(mark).strip()
    return os.path.join(folder, there) if there else None  # noqa: PTH118  bytes
