"""Walking folders: every file that is there, and why some are never read.

The walk is the truth; events, when they come, are only hints.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple


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


_FOLDERS = {
    "version control": ".git .hg .svn .bzr .jj cvs",
    "installed packages": "node_modules bower_components site-packages venv .venv"
    " __pypackages__",
    "cache": "__pycache__ caches .cache .mypy_cache .pytest_cache .ruff_cache .tox"
    " .nox .gradle .ipynb_checkpoints .npm .cargo",
    "trash": ".trash .trashes .trash-* $recycle.bin lost+found .recycle",
    "looks like a secret": ".ssh .gnupg .aws .kube .password-store keychains",
    "application package": "*.app *.framework *.photoslibrary *.bundle *.lrdata",
}
_FILES = {
    "looks like a secret": ".env .env.* *.env *.pem *.p12 *.pfx *.ppk *.jks"
    " *.keystore *.kdbx *.kdb *.gpg *.pgp *.keychain *.keychain-db id_rsa* id_dsa*"
    " id_ecdsa* id_ed25519* .netrc .pgpass .htpasswd .git-credentials .npmrc .pypirc",
    "backup or lock of an editor": "*~ *.swp *.swo *.bak #*# .#* ~$* ~lock.* .~lock.*",
    "unfinished or temporary": "*.tmp *.temp *.part *.partial *.crdownload *.download",
    "file of the system": ".ds_store thumbs.db desktop.ini .localized ._*",
    "list of locked packages": "package-lock.json npm-shrinkwrap.json yarn.lock"
    " pnpm-lock.yaml cargo.lock poetry.lock pdm.lock uv.lock composer.lock"
    " gemfile.lock pipfile.lock go.sum",
}


def _compiled(rules: dict[str, str]) -> list[tuple[str, re.Pattern[str]]]:
    return [
        (reason, re.compile("|".join(map(fnmatch.translate, globs.split()))))
        for reason, globs in rules.items()
    ]


_FOLDER_RULES = _compiled(_FOLDERS)
_FILE_RULES = _compiled(_FILES)
_SPECIAL = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_DATALESS = 0x40000000
"""macOS: the file's bytes are in a cloud; reading it would fetch them."""

_WORDS = {
    errno.ENOENT: "no longer there",
    errno.EACCES: "no permission to look into it",
    errno.EPERM: "no permission to look into it",
    errno.ENAMETOOLONG: "its path is longer than the system allows",
    errno.EIO: "the disk reports an error",
}


def ignored(name: bytes, *, is_folder: bool) -> str | None:
    """Say why a name is passed over by default; None when it is not.

    Everything hidden is, on top of the tables above.
    """
    text = os.fsdecode(name).lower()
    for reason, pattern in _FOLDER_RULES if is_folder else _FILE_RULES:
        if pattern.match(text):
            return reason
    if text.startswith("."):
        return "hidden folder" if is_folder else "hidden file"
    return None


def walk(root: bytes) -> Iterator[Found | Denied]:
    """Go through a folder depth first, by name, and give each of its files.

    No link is followed, so there are no loops; other file systems mounted inside are
    entered. Folders that rules pass over are left out with all they hold; files that
    rules pass over are given with the reason. No rule applies to `root` itself, which
    may be a single file.

    Args:
        root: An absolute path.

    Yields:
        Files, and whatever could not be looked at. What vanishes meanwhile is no error.
    """
    try:
        status = os.lstat(root)
    except OSError as error:
        yield Denied(root, _reason(error))
        return
    if not stat.S_ISDIR(status.st_mode):
        yield _found(root, status, None)
        return
    ahead: list[Iterator[os.DirEntry[bytes]]] = []
    yield from _enter(root, ahead)
    while ahead:
        entry = next(ahead[-1], None)
        if entry is None:
            ahead.pop()
        else:
            yield from _visit(entry, ahead)


def _visit(
    entry: os.DirEntry[bytes], ahead: list[Iterator[os.DirEntry[bytes]]]
) -> Iterator[Found | Denied]:
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        why = ignored(entry.name, is_folder=is_folder)
        if not is_folder:
            yield _found(entry.path, entry.stat(follow_symlinks=False), why)
        elif why is None:
            yield from _enter(entry.path, ahead)
    except FileNotFoundError:
        return
    except OSError as error:
        yield Denied(entry.path, _reason(error))


def _enter(path: bytes, ahead: list[Iterator[os.DirEntry[bytes]]]) -> Iterator[Denied]:
    try:
        with os.scandir(path) as entries:
            ahead.append(iter(sorted(entries, key=lambda entry: entry.name)))
    except FileNotFoundError:
        return
    except OSError as error:
        yield Denied(path, _reason(error))


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
