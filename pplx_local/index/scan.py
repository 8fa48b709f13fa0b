"""The disk compared with the database: what is new, changed, moved, gone or away.

The walk is the truth. A file is gone only when its folder could be read and it was not
there: a volume that is away makes its files unreachable, it never deletes them.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from pplx_local.config import Settings
from pplx_local.documents import pipeline_of
from pplx_local.index.changes import Changes
from pplx_local.index.findings import Findings
from pplx_local.index.happening import Tell, tell_nobody
from pplx_local.index.look import (
    denied_record,
    identity,
    is_walked,
    own_files,
    record_of,
    rules_of,
    was_never_read,
    why_skipped,
    why_unreachable,
)
from pplx_local.index.missing import Missing, away
from pplx_local.index.targets import Target
from pplx_local.records import FileRecord, FolderRecord, Progress
from pplx_local.store import Space, Store
from pplx_local.watch import Denied, Found, Rules, walk

_TELL_EVERY_S = 0.1
"""Also the longest that other work waits for a scan."""

_path = attrgetter("path")


class Scan:
    """One walk over parts of registered folders.

    Skipped, moved and vanished files are settled in the database; files that have to be
    read are queued there. The walk and the records come in the same order and are
    merged, so neither is ever held whole.
    """

    def __init__(
        self,
        store: Store,
        targets: Sequence[Target],
        findings: Findings,
        settings: Settings,
        *,
        spaces: Sequence[Space] = (),
        retry: bool = True,
        tell: Tell = tell_nobody,
    ) -> None:
        """Prepare; nothing is read before `run`.

        Args:
            store: Open for writing.
            targets: What to look at, each apart from the others.
            findings: What is found is added here.
            settings: By which files are passed over; their home is no document.
            spaces: Whose vectors are worth keeping until they can be made anew.
            retry: Give unchanged files that could not be read another chance.
            tell: Told what was renamed and what is gone.
        """
        self._store, self._targets, self._findings = store, targets, findings
        self._settings, self._rules = settings, dict[bytes, Rules]()
        self._spaces = spaces
        self._exclude = own_files(settings)
        self._retry = retry
        self._changes = Changes(store, anew=retry)
        self._missing = Missing(
            store, targets, findings, self._exclude, self._rules_for, tell, spaces
        )
        self._n_seen = 0
        self._told = time.monotonic()

    def run(self) -> Generator[Progress, None, None]:
        """Walk and compare; between two steps everything found is in the database."""
        reached = []
        for target in self._targets:
            known = self._store.files(
                folder_id=target.folder.folder_id, under=target.root
            )
            has_files = next(known, None) is not None
            if reason := why_unreachable(target.folder, has_files=has_files):
                yield from self._mark_unreachable(target, reason)
            else:
                reached.append((target, self._missing.device_of(target.folder)))
                yield from self._compare_all(target)
        self._changes.write()
        yield from self._missing.settle(self._n_seen)
        for target, device in reached:
            if target.under is None and device is not None:
                now_ns = time.time_ns()
                self._store.set_scanned(target.folder.folder_id, device, now_ns)
        yield Progress("scan", self._n_seen, self._n_seen)

    def _mark_unreachable(
        self, target: Target, reason: str
    ) -> Generator[Progress, None, None]:
        folder_id = target.folder.folder_id
        for file in self._store.files(folder_id=folder_id, under=target.root):
            self._findings.n_unreachable += 1
            self._changes.settle(file, away(file, reason))
            yield from self._breathe(file.path)

    def _compare_all(self, target: Target) -> Generator[Progress, None, None]:
        for found, old in self._pairs(target):
            if found:
                self._n_seen += 1
                self._compare(target, found, old)
            elif old:
                self._missing.add(target.folder, old.path)
            yield from self._breathe(found.path if found else None)

    def _breathe(self, path: bytes | None) -> Iterator[Progress]:
        """Write what was found, and let others work, from time to time."""
        is_time = time.monotonic() - self._told > _TELL_EVERY_S
        if is_time or self._changes.are_many:
            self._changes.write()
            yield Progress("scan", self._n_seen, None, path)
            self._told = time.monotonic()

    def _pairs(
        self, target: Target
    ) -> Iterator[tuple[Found | None, FileRecord | None]]:
        """Pair what the disk has with what is known, by path; one side may be absent."""
        streams: tuple[Iterable[Found | FileRecord], ...] = (
            self._walk(target),
            self._store.files(folder_id=target.folder.folder_id, under=target.root),
        )
        for _, pair in groupby(heapq.merge(*streams, key=_path), key=_path):
            found: Found | None = None
            old: FileRecord | None = None
            for one in pair:
                if isinstance(one, Found):
                    found = one
                else:
                    old = one
            yield found, old

    def _walk(self, target: Target) -> Iterator[Found]:
        rules = self._rules_for(target.folder)
        if not is_walked(target.root, rules):
            return
        for entry in walk(target.root, rules):
            if entry.path.startswith(self._exclude):
                continue
            if isinstance(entry, Denied):
                self._deny(target, entry)
            else:
                yield entry

    def _rules_for(self, folder: FolderRecord) -> Rules:
        """Give the rules of a folder, as they are during all of this scan."""
        if folder.path not in self._rules:
            self._rules[folder.path] = rules_of(folder.path, self._settings)
        return self._rules[folder.path]

    def _deny(self, target: Target, denied: Denied) -> None:
        """Note what could not be looked at: its record sorts elsewhere than its walk."""
        self._missing.denied.append(denied.path)
        record = denied_record(target.folder, denied)
        self._findings.failures.append(record)
        self._changes.settle(self._store.file(denied.path), record)

    def _compare(self, target: Target, found: Found, old: FileRecord | None) -> None:
        if reason := why_skipped(found, self._settings):
            skipped = record_of(target.folder, found, "skipped", reason)
            self._changes.settle(old, skipped)
        elif old and self._is_settled(old, found):
            self._findings.n_unchanged += 1
        elif old and self._is_stale(old, found):
            self._findings.n_unchanged += 1
            self._let_back(old)
            self._changes.read(target.folder, found, stale=True)
        else:
            if was_never_read(old):
                self._findings.n_new += 1
            else:
                self._findings.n_changed += 1
            self._changes.read(target.folder, found, stale=False)

    def _is_settled(self, old: FileRecord, found: Found) -> bool:
        """Tell whether a file need not be read."""
        same = identity(old) == identity(found)
        pipeline = pipeline_of(found.path, ocr=self._settings.ocr)
        if not same or old.pipeline != pipeline:
            return False
        if self._let_back(old):
            return True
        if old.state in ("pending", "unreachable"):
            return False
        return not (self._retry and old.retry)

    def _let_back(self, old: FileRecord) -> bool:
        """Let a file that was away answer again; return whether it was."""
        if old.state != "unreachable" or old.document_id is None:
            return False
        back = replace(old, state="indexed", reason=None, retry=False)
        self._changes.settle(old, back)
        return True

    def _is_stale(self, old: FileRecord, found: Found) -> bool:
        """Tell whether a file has to be read only because an older program read it.

        What that program made of it answers well until it can be read and embedded in
        one go; without vectors there is nothing to wait for.
        """
        was_read = old.state in ("indexed", "unreachable") and old.pipeline is not None
        if not was_read or identity(old) != identity(found):
            return False
        return self._store.is_embedded(old.document_id, self._spaces)
