"""What adding a folder would mean, before anything is read."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Iterator
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
from pplx_local.index.look import own_files, rules_of, why_skipped
from pplx_local.index.paths import readable
from pplx_local.models import Profile, profile_of
from pplx_local.records import KindCount, Progress, Survey
from pplx_local.watch import Denied, Found, in_short, walk

_TELL_EVERY_S = 0.1
_TEXT_SHARE = {
    "apple": 0.02,
    "book": 0.2,
    "html": 0.5,
    "mail": 0.2,
    "mailbox": 0.2,
    "opendocument": 0.05,
    "pdf": 0.1,
    "rtf": 0.05,
    "slides": 0.01,
    "spreadsheet": 0.2,
    "word": 0.25,
    "xml": 0.6,
}
"""Share of a file's bytes that is text, by family, 1 for others: a rough guess from a few
hundred files of each, or a few, for an estimate."""
_DISK_PER_TEXT_BYTE = 0.9
"""Compressed text and keywords, for a byte of text."""


class Surveying:
    """Counts the files of a folder by kind: iterate for progress, then see `found`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Prepare; the folder is walked by the iteration.

        Raises:
            FolderError: The path cannot be read.
        """
        self._path, self._settings = path, settings
        self._root = os.fsencode(readable(path))
        self._files: Counter[tuple[str, bool]] = Counter()
        self._sizes: Counter[tuple[str, bool]] = Counter()
        self._lengths: list[float] = []

    def __iter__(self) -> Generator[Progress, None, None]:
        """Walk; whoever stops iterating stops the walk."""
        yield Progress("scan", 0, None)
        n_files, told = 0, time.monotonic()
        for n_files, entry in enumerate(self._walk(), 1):
            self._count(entry)
            if time.monotonic() - told > _TELL_EVERY_S:
                yield Progress("scan", n_files, None, entry.path)
                told = time.monotonic()
        yield Progress("scan", n_files, n_files)

    def _walk(self) -> Iterator[Found | Denied]:
        own = own_files(self._settings)
        for entry in walk(self._root, rules_of(self._root, self._settings)):
            if not entry.path.startswith(own):
                yield entry

    def _count(self, entry: Found | Denied) -> None:
        if isinstance(entry, Denied):
            self._files[f"cannot be read: {entry.reason}", True] += 1
            return
        kind = kind_of(entry.path)
        reason = why_skipped(entry, self._settings)
        key = (in_short(reason) if reason else kind.label, reason is not None)
        self._files[key] += 1
        self._sizes[key] += entry.size
        if reason is None:
            self._lengths.append(entry.size * _TEXT_SHARE.get(kind.family, 1.0))

    @property
    def found(self) -> Survey:
        """What was counted, with an estimate of work and disk."""
        text_bytes = sum(self._lengths)
        tokens = tokens_in(text_bytes)
        home, profile = self._settings.home, profile_of(self._settings)
        work = {one: tokens_read(one, self._lengths) for one in profile if one}
        return Survey(
            path=os.fsencode(self._path),
            kinds=self._kinds(),
            estimated_tokens=tokens,
            estimated_seconds=seconds_for(work, home) if work else None,
            estimated_disk_bytes=int(
                text_bytes * _DISK_PER_TEXT_BYTE + tokens * _bytes_per_token(profile)
            ),
            free_disk_bytes=free_disk(home),
        )

    def _kinds(self) -> tuple[KindCount, ...]:
        largest_first = sorted(self._files, key=lambda key: (-self._sizes[key], key))
        return tuple(
            KindCount(key[0], self._files[key], self._sizes[key], skipped=key[1])
            for key in largest_first
        )


def _bytes_per_token(profile: Profile) -> float:
    dense = bytes_per_token(profile.dense, "dense") if profile.dense else 0
    late = bytes_per_token(profile.late, "late") if profile.late else 0
    return dense + late
