"""Names that are passed over by default, and why."""

from __future__ import annotations

import fnmatch
import os
import re

SECRET = "looks like a secret"

_FOLDERS = {
    "version control": ".git .hg .svn .bzr .jj cvs",
    "installed packages": "node_modules bower_components site-packages venv .venv"
    " __pypackages__",
    "cache": "__pycache__ caches .cache .mypy_cache .pytest_cache .ruff_cache .tox"
    " .nox .gradle .ipynb_checkpoints .npm .cargo",
    "trash": ".trash .trashes .trash-* $recycle.bin lost+found .recycle",
    SECRET: ".ssh .gnupg .aws .azure .docker .kube .password-store keychains",
    "application package": "*.app *.framework *.photoslibrary *.bundle *.lrdata",
}
_FILES = {
    SECRET: ".env .env.* *.env *.pem *.p12 *.pfx *.ppk *.jks"
    " *.keystore *.kdbx *.kdb *.gpg *.pgp *.keychain *.keychain-db id_rsa* id_dsa*"
    " id_ecdsa* id_ed25519* .netrc .pgpass .my.cnf .htpasswd .git-credentials"
    " .npmrc .pypirc .*_history",
    "backup or lock of an editor": "*~ *.swp *.swo *.bak #*# .#* ~$* ~lock.* .~lock.*",
    "unfinished or temporary": "*.tmp *.temp *.part *.partial *.crdownload *.download",
    "file of the system": ".ds_store thumbs.db desktop.ini .localized ._*",
    "list of locked packages": "package-lock.json npm-shrinkwrap.json yarn.lock"
    " pnpm-lock.yaml cargo.lock poetry.lock pdm.lock uv.lock composer.lock"
    " gemfile.lock pipfile.lock go.sum go.work.sum flake.lock deno.lock bun.lock mix.lock"
    " pubspec.lock podfile.lock packages.lock.json",
}


class _Table:
    """Why names are passed over; it costs a walk little where they are not."""

    def __init__(self, rules: dict[str, str]) -> None:
        self._rules = [
            (reason, re.compile("|".join(map(fnmatch.translate, globs.split()))))
            for reason, globs in rules.items()
        ]
        globs = " ".join(rules.values()).split()
        self._names = {glob for glob in globs if "*" not in glob}
        around = [
            (g[: g.index("*")], g[g.rindex("*") + 1 :]) for g in globs if "*" in g
        ]
        self._begins = tuple(begin for begin, end in around if len(begin) > len(end))
        self._ends = tuple(end for begin, end in around if len(begin) <= len(end))

    def reason(self, name: str) -> str | None:
        may_be = (
            name in self._names
            or name.endswith(self._ends)
            or name.startswith(self._begins)
        )
        rules = self._rules if may_be else ()
        return next((why for why, pattern in rules if pattern.match(name)), None)


_FOLDER_RULES = _Table(_FOLDERS)
_FILE_RULES = _Table(_FILES)


def ignored(name: bytes, *, is_folder: bool, hidden: bool = False) -> str | None:
    """Say why a name is passed over by default; None when it is not.

    Everything hidden is, on top of the tables above, unless `hidden` is asked for.
    """
    text = os.fsdecode(name).lower()
    if reason := (_FOLDER_RULES if is_folder else _FILE_RULES).reason(text):
        return reason
    if text.startswith(".") and not hidden:
        return "hidden folder" if is_folder else "hidden file"
    return None
