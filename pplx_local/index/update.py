"""One update, from the walk to the last vector, as a stream of progress."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from pplx_local.config import Settings
from pplx_local.documents import Reader
from pplx_local.index.fill import Filling
from pplx_local.index.paths import lies_in
from pplx_local.index.reading import ReadingStage
from pplx_local.index.scan import Findings, FolderScan
from pplx_local.records import FileRecord, FolderRecord, Progress, UpdateReport
from pplx_local.store import Store

KEEP_HIDDEN_NS = 24 * 3600 * 10**9
"""How long the vectors of a document that no file needs wait for its return."""


@dataclass(frozen=True, slots=True)
class Target:
    """A registered folder, or the part of it that is to be updated."""

    folder: FolderRecord
    under: bytes | None
    """None for the whole folder."""

    @property
    def root(self) -> bytes:
        """Where its walk begins."""
        return self.under or self.folder.path


def apart(targets: Sequence[Target]) -> list[Target]:
    """Leave out targets that lie in others, so that no file is read twice."""
    kept: dict[bytes, Target] = {}
    for target in targets:
        root = target.root
        if any(lies_in(root, other) for other in kept):
            continue
        kept = {other: t for other, t in kept.items() if not lies_in(other, root)}
        kept[root] = target
    return list(kept.values())


class Update:
    """Iterate for progress; stop iterating to cancel. What was done is kept.

    Keywords come first for all files, then vectors: every file can be found early.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        targets: Sequence[Target],
        filling: Filling,
    ) -> None:
        """Prepare; nothing happens before the iteration."""
        self._store, self._settings = store, settings
        self._targets, self._filling = targets, filling
        self._findings = Findings()

    def __iter__(self) -> Iterator[Progress]:
        """Run the stages: scan, read, encode."""
        for target in self._targets:
            yield from self._scan(target)
        self._store.settle_documents(time.time_ns())
        if self._findings.to_read:
            yield from self._read()
        yield from self._filling.run()
        self._store.settle_documents(time.time_ns())  # vectors may want more shards
        yield from self._filling.switch()
        self._store.purge(time.time_ns() - KEEP_HIDDEN_NS)

    @property
    def failures(self) -> list[FileRecord]:
        """Files, and folders that cannot be entered, that ended in state `failed`."""
        return self._findings.failures

    @property
    def encoder_error(self) -> str | None:
        """Why vectors are missing; None when none are."""
        return self._filling.error

    @property
    def report(self) -> UpdateReport:
        """What was done so far."""
        found = self._findings
        return UpdateReport(
            added=found.n_new,
            changed=found.n_changed,
            renamed=found.n_renamed,
            unchanged=found.n_unchanged,
            removed=found.n_removed,
            unreachable=found.n_unreachable,
            failed=len(self.failures),
            encoded_tokens=self._filling.encoded_tokens,
            reused_windows=self._filling.reused_windows,
        )

    def _scan(self, target: Target) -> Iterator[Progress]:
        scan = FolderScan(
            self._store,
            target.folder,
            self._findings,
            under=target.under,
            exclude=self._settings.home,
        )
        yield from scan.run()

    def _read(self) -> Iterator[Progress]:
        self._filling.warm_up()
        reader = Reader(
            timeout_s=self._settings.read_timeout_s,
            memory_bytes=self._settings.read_memory_bytes,
            max_file_bytes=self._settings.max_file_bytes,
        )
        with closing(reader):
            stage = ReadingStage(self._store, reader, self._findings)
            yield from stage.run()
