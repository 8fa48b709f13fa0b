"""What became of known files that a walk did not come upon: moved, gone or away."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace

from pplx_local.documents import pipeline_of, reader_in
from pplx_local.index.findings import Findings
from pplx_local.index.happening import Happening, Tell, Told
from pplx_local.index.look import (
    identity,
    is_walked,
    look_at,
    was_never_read,
    why_unreachable,
)
from pplx_local.index.paths import lies_in
from pplx_local.index.targets import Target
from pplx_local.records import FileRecord, FolderRecord, Progress
from pplx_local.store import Space, Store, Waiting
from pplx_local.watch import Found, Rules

_BATCH = 200
_READ = ("indexed", "unreachable")


def away(file: FileRecord, reason: str) -> FileRecord:
    """Mark a file as unreachable; unread or half-changed, it is read on its return."""
    pipeline = file.pipeline if file.state in _READ else None
    return replace(
        file, state="unreachable", reason=reason, retry=True, pipeline=pipeline
    )


class Missing:
    """Decides at the end of a scan, when every new path is known."""

    def __init__(
        self,
        store: Store,
        targets: Sequence[Target],
        findings: Findings,
        exclude: bytes,
        rules_of: Callable[[FolderRecord], Rules],
        tell: Tell,
        spaces: Sequence[Space],
    ) -> None:
        """Start with nothing missing; vectors in some spaces are worth keeping."""
        self._store, self._findings, self._spaces = store, findings, spaces
        self._roots = [target.root for target in targets]
        self._exclude, self._rules_of, self._told = exclude, rules_of, Told(tell)
        self._paths: list[tuple[FolderRecord, bytes]] = []
        self._devices: dict[int, int | None] = {}
        self.denied: list[bytes] = []
        """What could not be looked at, with all that it may hold."""

    def device_of(self, folder: FolderRecord) -> int | None:
        """Note the device that a folder is on as its walk begins."""
        return self._devices.setdefault(folder.folder_id, _device(folder.path))

    def add(self, folder: FolderRecord, path: bytes) -> None:
        """Note a known file that the walk did not come upon."""
        self._paths.append((folder, path))

    def settle(self, n_seen: int) -> Generator[Progress, None, None]:
        """Decide about all of them, some in each transaction."""
        for start in range(0, len(self._paths), _BATCH):
            batch = self._paths[start : start + _BATCH]
            self._told.forget()
            with self._store.transaction():
                self._decide(batch)
            self._told.pass_on()
            yield Progress("scan", n_seen, None)

    def _decide(self, batch: Iterable[tuple[FolderRecord, bytes]]) -> None:
        there: dict[int, bool] = {}
        for folder, path in batch:
            if folder.folder_id not in there:
                there[folder.folder_id] = self._is_there(folder)
            # Meanwhile it may have been dealt with, or have come back.
            record = self._store.file(path) if there[folder.folder_id] else None
            if record is None or path in self.denied:
                continue
            if any(lies_in(path, one) for one in self.denied):
                self._mark_away(record)
            elif not self._would_be_met(path, folder):
                self._let_go(record)

    def _would_be_met(self, path: bytes, folder: FolderRecord) -> bool:
        if path.startswith(self._exclude):
            return False
        return look_at(path) is not None and is_walked(path, self._rules_of(folder))

    def _is_there(self, folder: FolderRecord) -> bool:
        """Tell whether the folder is the one that was walked: volumes go at any time."""
        before = self._devices.get(folder.folder_id)
        reason = why_unreachable(folder, has_files=True)
        return reason is None and _device(folder.path) == before

    def _mark_away(self, record: FileRecord) -> None:
        self._findings.n_unreachable += 1
        self._store.put_file(away(record, "its folder cannot be entered"))
        self._store.unqueue(record.path)

    def _let_go(self, record: FileRecord) -> None:
        """Forget a file; the new path of a renamed one takes its document over."""
        if moved := self._moved(record):
            self._take_over(record, moved)
        elif not os.path.isdir(record.path):  # noqa: PTH112  can raise
            # A folder that could not be entered has a record too, and is there still.
            self._findings.n_removed += 1
            self._told.note(Happening(record.path, "removed"))
        self._store.forget_files([record.path])

    def _moved(self, record: FileRecord) -> Waiting | None:
        """Find the path that a file has now, by its identity."""
        if record.document_id is None or record.state not in _READ:
            return None
        for waiting in self._store.queued_with_inode(record.device, record.inode):
            found = look_at(waiting.path)
            same = isinstance(found, Found) and identity(found) == identity(record)
            if same and record.pipeline and _reads(record.pipeline, waiting.path):
                return waiting
        return None

    def _take_over(self, record: FileRecord, moved: Waiting) -> None:
        if any(lies_in(moved.path, root) for root in self._roots):  # counted before
            is_new = was_never_read(self._store.file(moved.path))
            self._findings.n_new -= is_new
            self._findings.n_changed -= not is_new
        self._findings.n_renamed += 1
        self._told.note(Happening(moved.path, "renamed"))
        self._store.put_file(
            replace(
                record,
                path=moved.path,
                folder_id=moved.folder_id,
                state="indexed",
                reason=None,
                retry=False,
            )
        )
        if record.pipeline in _pipelines(moved.path):
            self._store.unqueue(moved.path)
        else:  # an older program made the document, which answers until it is made anew
            stale = self._store.is_embedded(record.document_id, self._spaces)
            self._store.queue_files([moved._replace(stale=stale)])


def _pipelines(path: bytes) -> list[str]:
    """Give those that a file of this name may be read by today."""
    return [pipeline_of(path, ocr=ocr) for ocr in (False, True)]


def _reads(pipeline: str, path: bytes) -> bool:
    """Tell whether this, in some version, is how a file of this name is read."""
    return reader_in(pipeline) in map(reader_in, _pipelines(path))


def _device(path: bytes) -> int | None:
    try:
        return os.lstat(path).st_dev
    except OSError:
        return None
