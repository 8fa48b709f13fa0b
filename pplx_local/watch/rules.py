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


def _compiled(rules: dict[str, str]) -> list[tuple[str, re.Pattern[str]]]:
    return [
        (reason, re.compile("|".join(map(fnmatch.translate, globs.split()))))
        for reason, globs in rules.items()
    ]


_FOLDER_RULES = _compiled(_FOLDERS)
_FILE_RULES = _compiled(_FILES)


def ignored(name: bytes, *, is_folder: bool, hidden: bool = False) -> str | None:
    """Say why a name is passed over by default; None when it is not.

    Everything hidden is, on top of the tables above, unless `hidden` is asked for.
    """
    text = os.fsdecode(name).lower()
    for reason, pattern in _FOLDER_RULES if is_folder else _FILE_RULES:
        if pattern.match(text):
            return reason
    if text.startswith(".") and not hidden:
        return "hidden folder" if is_folder else "hidden file"
    return None
