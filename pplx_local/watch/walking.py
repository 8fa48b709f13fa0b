"""Walking folders: every file that is there, and why some are never read.

The walk is the truth; events, when they come, are only hints.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

from pplx_local.watch.judging import TELLING, Level, Rules


class Found(NamedTuple):
    """A file that a walk came upon, as `lstat` has it."""

    path: bytes
    device: int
    inode: int
    size: int
    mtime_ns: int
    skip: str | None = None
    """Why it is never read; None for a file to read."""


class Denied(NamedTuple):
    """A folder or file that could not be looked at; what it holds is unknown."""

    path: bytes
    reason: str


_SPECIAL = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_DATALESS = 0x40000000
"""macOS: the file's bytes are in a cloud; reading it would fetch them."""

_GONE = (FileNotFoundError, NotADirectoryError)
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")

_WORDS = {
    errno.EACCES: "no permission to look into it",
    errno.EPERM: "no permission to look into it",
    errno.ENAMETOOLONG: "its path is longer than the system allows",
    errno.EIO: "the disk reports an error",
}


class _Inside(NamedTuple):
    """A folder that is being gone through."""

    ahead: Iterator[os.DirEntry[bytes]]
    level: Level


def walk(root: bytes, rules: Rules | None = None) -> Iterator[Found | Denied]:
    """Go through a folder and give each of its files, in the order of their paths.

    By bytes, as a database sorts them, so that both can be compared in one pass. What
    cannot be entered comes where its files would have.

    No link is followed, so there are no loops; other file systems mounted inside are
    entered. Folders that rules pass over are left out with all they hold; files that
    rules pass over are given with the reason.

    Args:
        root: An absolute path, which may be that of a single file.
        rules: Of the registered folder that `root` is or lies in; None for those of
            one at `root`, to which no rule applies itself.

    Yields:
        Files, and whatever could not be looked at. What is not there, or vanishes
        meanwhile, is no error.
    """
    try:
        status = os.lstat(root)
    except _GONE:
        return
    except OSError as error:
        yield Denied(root, _reason(error))
        return
    rules = rules or Rules(root)
    is_folder = stat.S_ISDIR(status.st_mode)
    why = rules.why(root, is_folder=is_folder)
    if not is_folder:
        yield _found(root, status, why)
    elif why is None and isinstance(level := rules.beside(root), Level):
        yield from _walk(root, level)


def _walk(root: bytes, level: Level) -> Iterator[Found | Denied]:
    way: list[_Inside] = []
    yield from _enter(root, level, way)
    while way:
        entry = next(way[-1].ahead, None)
        if entry is None:
            way.pop()
        else:
            yield from _visit(entry, way)


def _visit(entry: os.DirEntry[bytes], way: list[_Inside]) -> Iterator[Found | Denied]:
    level = way[-1].level
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        why = level.why(entry.path, entry.name, is_folder=is_folder)
        if not is_folder:
            yield _found(entry.path, entry.stat(follow_symlinks=False), why)
        elif why is None:
            yield from _enter(entry.path, level, way)
    except _GONE:
        return
    except OSError as error:
        yield Denied(entry.path, _reason(error))


def _enter(path: bytes, level: Level, way: list[_Inside]) -> Iterator[Denied]:
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=_place)
    except _GONE:
        return
    except OSError as error:
        yield Denied(path, _reason(error))
        return
    telling = [entry.name for entry in entries if entry.name in TELLING]
    way.append(_Inside(iter(entries), level.enter(path, telling)))


def _place(entry: os.DirEntry[bytes]) -> bytes:
    """Sort a folder as the paths in it sort: after `a.md` and before `a0`."""
    try:
        return entry.name + b"/" * entry.is_dir(follow_symlinks=False)
    except OSError:  # told when it is visited
        return entry.name


def _found(path: bytes, status: os.stat_result, why: str | None) -> Found:
    special = None
    if not stat.S_ISREG(status.st_mode):
        special = _SPECIAL.get(stat.S_IFMT(status.st_mode), "not a regular file")
    elif getattr(status, "st_flags", 0) & _DATALESS:
        special = "kept in a cloud, not on this disk"
    return Found(
        path,
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        special or why,
    )


def _reason(error: OSError) -> str:
    return _WORDS.get(error.errno or 0, error.strerror or str(error))


def true_path(path: bytes) -> bytes | None:
    """Give a path back when its folder holds an entry of exactly this name.

    Where the file system ignores case, or forms of the same letter, `lstat` finds
    `A.txt` under the name of `a.txt` too.

    Args:
        path: Not a registered folder itself.

    Returns:
        None when there is nothing, or only something with another spelling.
    """
    try:
        status = os.lstat(path)
    except OSError:
        return None
    folder, name = os.path.split(path)
    others = (folder + b"/" + other for other in _spellings(name))
    if not any(_is_same(status, other) for other in others):
        return path
    try:
        with os.scandir(folder) as entries:
            return path if any(entry.name == name for entry in entries) else None
    except OSError:
        return path


def _spellings(name: bytes) -> set[bytes]:
    """Give other names that such a file system takes for the same."""
    if name.isascii():
        return {name.swapcase()} - {name}
    text = os.fsdecode(name)
    others = (text.swapcase(), *(unicodedata.normalize(f, text) for f in _FORMS))
    return {os.fsencode(other) for other in others} - {name}


def _is_same(status: os.stat_result, other: bytes) -> bool:
    try:
        return os.path.samestat(status, os.lstat(other))
    except OSError:
        return False
