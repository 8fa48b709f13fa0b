"""What adding a folder would mean, before anything is read."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.documents import kind_of
from pplx_local.index.encode import CHARS_PER_TOKEN
from pplx_local.index.paths import readable
from pplx_local.index.speed import recall
from pplx_local.models import Profile, resolve
from pplx_local.records import KindCount, Survey
from pplx_local.watch import Denied, walk

_TEXT_SHARE = {"pdf": 0.08, "html": 0.5}
"""Share of a file's bytes that is text, by family: a rough guess, for an estimate."""
_DISK_PER_TEXT_BYTE = 0.9
"""Compressed text and keywords, for a byte of text."""


def survey(path: Path, settings: Settings) -> Survey:
    """Count the files of a folder by kind, and estimate work and disk.

    Raises:
        FolderError: The path cannot be read.
    """
    root = os.fsencode(readable(path))
    files: Counter[tuple[str, bool]] = Counter()
    sizes: Counter[tuple[str, bool]] = Counter()
    text_bytes = 0.0
    for entry in walk(root):
        if isinstance(entry, Denied):
            files[f"cannot be read: {entry.reason}", True] += 1
            continue
        kind = kind_of(entry.path)
        reason = entry.skip or kind.reason
        key = (reason or kind.label, reason is not None)
        files[key] += 1
        sizes[key] += entry.size
        if reason is None:
            text_bytes += entry.size * _TEXT_SHARE.get(kind.family, 1.0)
    tokens = int(text_bytes / CHARS_PER_TOKEN)
    profile = resolve(settings.model, settings.home)
    speed = recall(settings.home)
    return Survey(
        path=os.fsencode(path),
        kinds=tuple(
            KindCount(label, files[label, skipped], sizes[label, skipped], skipped)
            for label, skipped in sorted(files, key=lambda key: (-sizes[key], key))
        ),
        estimated_tokens=tokens,
        estimated_seconds=tokens / speed if speed and profile.dense else None,
        estimated_disk_bytes=int(text_bytes * _DISK_PER_TEXT_BYTE)
        + tokens * _bytes_per_token(profile),
        free_disk_bytes=shutil.disk_usage(_existing(settings.home)).free,
    )


def _bytes_per_token(profile: Profile) -> int:
    """Disk that the vectors of one token take, the chunk's dense vector shared out."""
    late = profile.late.dim // 8 if profile.late else 0
    dense = profile.dense.dim * 2 // 240 if profile.dense else 0
    return late + dense


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
