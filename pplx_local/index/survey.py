"""What adding a folder would mean, before anything is read."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.documents import kind_of
from pplx_local.index.cost import (
    bytes_per_token,
    free_disk,
    seconds_for,
    tokens_in,
    tokens_read,
)
from pplx_local.index.paths import readable
from pplx_local.models import Profile, profile_of
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
    lengths: list[float] = []
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
            lengths.append(entry.size * _TEXT_SHARE.get(kind.family, 1.0))
    text_bytes = sum(lengths)
    tokens = tokens_in(text_bytes)
    profile = profile_of(settings)
    work = {one: tokens_read(one, lengths) for one in profile if one}
    return Survey(
        path=os.fsencode(path),
        kinds=tuple(
            KindCount(label, files[label, skipped], sizes[label, skipped], skipped)
            for label, skipped in sorted(files, key=lambda key: (-sizes[key], key))
        ),
        estimated_tokens=tokens,
        estimated_seconds=seconds_for(work, settings.home) if work else None,
        estimated_disk_bytes=int(
            text_bytes * _DISK_PER_TEXT_BYTE + tokens * _bytes_per_token(profile)
        ),
        free_disk_bytes=free_disk(settings.home),
    )


def _bytes_per_token(profile: Profile) -> float:
    dense = bytes_per_token(profile.dense, "dense") if profile.dense else 0
    late = bytes_per_token(profile.late, "late") if profile.late else 0
    return dense + late
