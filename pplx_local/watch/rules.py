"""Names that are passed over by default, and why."""

from __future__ import annotations

import fnmatch
import os
import re
import stat

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


def why_ignored(path: bytes, folder: bytes) -> str | None:
    """Say why a path in a registered folder is passed over; None when a walk reads it.

    Args:
        path: Lies in `folder`; it may be gone, and counts as a file then.
        folder: No rule applies to it or to anything above it.
    """
    if path == folder:
        return None
    *parents, name = inside(path, folder).split(b"/")
    return ignored_parent(parents) or ignored(name, is_folder=_is_folder(path))


def ignored_parent(names: list[bytes]) -> str | None:
    """Say why one of several folders is passed over, the first that is."""
    reasons = (ignored(name, is_folder=True) for name in names)
    return next((reason for reason in reasons if reason), None)


def inside(path: bytes, folder: bytes) -> bytes:
    """Give a path relative to the folder that it lies in."""
    return path[len(folder.rstrip(b"/")) + 1 :]


def _is_folder(path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
