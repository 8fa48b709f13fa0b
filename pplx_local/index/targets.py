"""What an update looks at: registered folders, or parts of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pplx_local.errors import FolderError
from pplx_local.index.paths import absolute, followed, lies_in, not_registered
from pplx_local.records import FolderRecord


@dataclass(frozen=True, slots=True)
class Target:
    """A registered folder, or the part of it that is to be looked at."""

    folder: FolderRecord
    under: bytes | None
    """A file or folder in it, which may be gone; None for the whole folder."""

    @property
    def root(self) -> bytes:
        """Where its walk begins."""
        return self.under or self.folder.path


def targets_of(
    paths: Sequence[Path] | None, folders: Sequence[FolderRecord]
) -> list[Target]:
    """Find the targets that paths stand for; None stands for all folders.

    Raises:
        FolderError: A path lies in no registered folder.
    """
    if paths is None:
        return [Target(folder, None) for folder in folders]
    return apart([target for path in paths for target in _targets(path, folders)])


def covering(path: Path, folders: Sequence[FolderRecord]) -> FolderRecord | None:
    """Find the registered folder that a path lies in."""
    raw = os.fsencode(path)
    return next((folder for folder in folders if lies_in(raw, folder.path)), None)


def apart(targets: Sequence[Target]) -> list[Target]:
    """Leave out targets that lie in others, so that no file is looked at twice."""
    kept: dict[bytes, Target] = {}
    for target in targets:
        root = target.root
        if any(lies_in(root, other) for other in kept):
            continue
        kept = {other: t for other, t in kept.items() if not lies_in(other, root)}
        kept[root] = target
    return list(kept.values())


def _targets(path: Path, folders: Sequence[FolderRecord]) -> list[Target]:
    # A link inside a registered folder may lead to another one: both are meant.
    found = []
    for way in dict.fromkeys((followed(path), absolute(path))):
        if folder := covering(way, folders):
            under = os.fsencode(way)
            found.append(Target(folder, None if under == folder.path else under))
    if not found:
        known = [folder.path for folder in folders]
        raise FolderError(not_registered(absolute(path), known))
    return found
