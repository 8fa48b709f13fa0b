"""The disk compared with the database: what is new, changed, moved, gone or away.

The walk is the truth. A file is gone only when its folder could be read and it was not
there: a volume that is away makes its files unreachable, it never deletes them.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pplx_local.documents import kind_of, pipeline_of
from pplx_local.index.paths import lies_in
from pplx_local.records import FileRecord, FolderRecord, Progress, State
from pplx_local.store import Store
from pplx_local.watch import Denied, Found, walk

_BATCH = 2_000
"""Records written in one transaction; also how often progress is told."""

_Identity = tuple[int, int, int, int]


@dataclass(slots=True)
class Findings:
    """What the walks of one update found, in files."""

    to_read: list[tuple[FolderRecord, Found]] = field(default_factory=list)
    """New and changed files."""
    failures: list[FileRecord] = field(default_factory=list)
    """What could not be looked at, and later what could not be read."""
    n_new: int = 0
    n_changed: int = 0
    n_renamed: int = 0
    n_unchanged: int = 0
    n_removed: int = 0
    n_unreachable: int = 0


class FolderScan:
    """One walk over a registered folder, or over the part of it at `under`.

    Skipped, moved and vanished files are settled in the database at once; files that
    have to be read are only listed.
    """

    def __init__(
        self,
        store: Store,
        folder: FolderRecord,
        findings: Findings,
        *,
        under: bytes | None = None,
        exclude: Path | None = None,
    ) -> None:
        """Prepare; nothing is read before `run`.

        Args:
            store: Open for writing.
            folder: Registered.
            findings: What is found is added here.
            under: A file or folder in it; None for all of it.
            exclude: Our own state, which is no document.
        """
        self._store, self._folder, self._findings = store, folder, findings
        self._exclude = os.fsencode(exclude) + b"/" if exclude else None
        self._root = under or folder.path
        self._known: dict[bytes, FileRecord] = {}
        self._seen: set[bytes] = set()
        self._denied: list[bytes] = []
        self._fresh: list[Found] = []
        self._settled: list[FileRecord] = []

    def run(self) -> Iterator[Progress]:
        """Walk and compare."""
        files = self._store.files(folder_id=self._folder.folder_id, under=self._root)
        self._known = {file.path: file for file in files}
        reason = why_unreachable(self._folder, has_files=bool(self._known))
        if reason:
            self._mark_unreachable(list(self._known.values()), reason)
            return
        yield from self._walk()
        self._settle_missing()
        self._store.put_files(self._settled)
        self._findings.to_read += [(self._folder, found) for found in self._fresh]
        if self._root == self._folder.path:
            device = os.lstat(self._root).st_dev
            self._store.set_scanned(self._folder.folder_id, device, time.time_ns())

    def _walk(self) -> Iterator[Progress]:
        for entry in walk(self._root):
            if self._exclude and entry.path.startswith(self._exclude):
                continue
            self._seen.add(entry.path)
            if isinstance(entry, Denied):
                self._denied.append(entry.path)
                nothing = Found(entry.path, device=0, inode=0, size=0, mtime_ns=0)
                denied = record_of(self._folder, nothing, "failed", entry.reason)
                self._findings.failures.append(denied)
                self._settle(denied)
            elif reason := entry.skip or kind_of(entry.path).reason:
                self._settle(record_of(self._folder, entry, "skipped", reason))
            else:
                self._compare(entry)
            if len(self._seen) % _BATCH == 0:
                yield Progress("scan", len(self._seen), None, entry.path)
        yield Progress("scan", len(self._seen), len(self._seen))

    def _compare(self, found: Found) -> None:
        old = self._known.get(found.path)
        if old is None:
            self._findings.n_new += 1
            self._fresh.append(found)
        elif self._is_settled(old, found):
            self._findings.n_unchanged += 1
        else:
            self._findings.n_changed += 1
            self._fresh.append(found)

    def _is_settled(self, old: FileRecord, found: Found) -> bool:
        if _identity(old)[1:] != _identity(found)[1:]:  # devices change at a restart
            return False
        if old.state == "unreachable" and old.document_id is not None:
            self._settle(replace(old, state="indexed", reason=None, retry=False))
            return True
        return old.pipeline == pipeline_of(found.path) and not old.retry

    def _settle_missing(self) -> None:
        """Decide what became of known files that the walk did not meet."""
        away: list[FileRecord] = []
        gone: list[FileRecord] = []
        for path, file in self._known.items():
            if path not in self._seen:
                hidden = any(lies_in(path, folder) for folder in self._denied)
                (away if hidden else gone).append(file)
        self._mark_unreachable(away, "its folder cannot be entered")
        n_renamed = self._follow_renames(gone)
        self._findings.n_renamed += n_renamed
        self._findings.n_new -= n_renamed
        self._findings.n_removed += len(gone) - n_renamed
        self._store.forget_files(file.path for file in gone)

    def _follow_renames(self, gone: list[FileRecord]) -> int:
        """Let new paths take over the documents of vanished ones with their identity.

        Returns:
            How many did.
        """
        by_identity = {
            _identity(file): file for file in gone if file.document_id is not None
        }
        still_fresh = []
        for found in self._fresh:
            old = by_identity.get(_identity(found))
            if old is None or old.pipeline != pipeline_of(found.path):
                still_fresh.append(found)
                continue
            self._settle(
                replace(old, path=found.path, state="indexed", reason=None, retry=False)
            )
            del by_identity[_identity(found)]
        n_renamed = len(self._fresh) - len(still_fresh)
        self._fresh = still_fresh
        return n_renamed

    def _mark_unreachable(self, files: list[FileRecord], reason: str) -> None:
        self._findings.n_unreachable += len(files)
        self._store.put_files(
            [replace(f, state="unreachable", reason=reason, retry=True) for f in files]
        )

    def _settle(self, record: FileRecord) -> None:
        self._settled.append(record)
        if len(self._settled) >= _BATCH:
            self._store.put_files(self._settled)
            self._settled.clear()


def record_of(
    folder: FolderRecord, found: Found, state: State, reason: str
) -> FileRecord:
    """Make the record of a file that was seen and not read."""
    return FileRecord(
        path=found.path,
        folder_id=folder.folder_id,
        device=found.device,
        inode=found.inode,
        size=found.size,
        mtime_ns=found.mtime_ns,
        digest=None,
        state=state,
        reason=reason,
    )


def why_unreachable(folder: FolderRecord, *, has_files: bool) -> str | None:
    """Say why a folder's files cannot be judged now; None when they can.

    An empty folder on another device than before is where a volume used to be.
    """
    try:
        status = os.lstat(folder.path)
        if not stat.S_ISDIR(status.st_mode):
            return None
        with os.scandir(folder.path) as entries:
            is_empty = next(entries, None) is None
    except OSError as error:
        return f"cannot be reached: {error.strerror}"
    if is_empty and has_files and status.st_dev != folder.device:
        return "the volume is not mounted"
    return None


def _identity(file: FileRecord | Found) -> _Identity:
    return file.device, file.inode, file.size, file.mtime_ns
