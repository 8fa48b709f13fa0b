"""One update, from the walk to the last vector, as a stream of progress."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from pplx_local.config import Settings
from pplx_local.documents import Reader
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import BackendUnavailable, EncoderCrashed, ModelError
from pplx_local.index.encode import EncodingStage
from pplx_local.index.paths import lies_in
from pplx_local.index.reading import ReadingStage
from pplx_local.index.scan import Findings, FolderScan
from pplx_local.index.speed import remember
from pplx_local.records import FileRecord, FolderRecord, Progress, UpdateReport
from pplx_local.store import Space, Store

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


@dataclass(frozen=True, slots=True)
class EncodingJob:
    """A checkpoint's worker, and the spaces that it fills."""

    spaces: tuple[Space, ...]
    worker: Callable[[], EncoderWorker]
    """Started on the first call, without waiting."""


class Update:
    """Iterate for progress; stop iterating to cancel. What was done is kept.

    Keywords come first for all files, then vectors: every file can be found early.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        targets: Sequence[Target],
        jobs: Sequence[EncodingJob],
    ) -> None:
        """Prepare; nothing happens before the iteration."""
        self._store, self._settings = store, settings
        self._targets, self._jobs = targets, jobs
        self._findings = Findings()
        self._encoded_tokens = 0
        self._reused_windows = 0
        self.encoder_error: str | None = None
        """Why vectors are missing; None when none are."""

    def __iter__(self) -> Iterator[Progress]:
        """Run the stages: scan, read, encode."""
        for target in self._targets:
            yield from self._scan(target)
        self._store.settle_documents(time.time_ns())
        if self._findings.to_read:
            yield from self._read()
        yield from self._encode()
        self._store.settle_documents(time.time_ns())  # vectors may want more shards
        self._store.purge(time.time_ns() - KEEP_HIDDEN_NS)

    @property
    def failures(self) -> list[FileRecord]:
        """Files, and folders that cannot be entered, that ended in state `failed`."""
        return self._findings.failures

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
            encoded_tokens=self._encoded_tokens,
            reused_windows=self._reused_windows,
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
        self._warm_up()
        reader = Reader(
            timeout_s=self._settings.read_timeout_s,
            memory_bytes=self._settings.read_memory_bytes,
            max_file_bytes=self._settings.max_file_bytes,
        )
        with closing(reader):
            stage = ReadingStage(self._store, reader, self._findings)
            yield from stage.run()

    def _warm_up(self) -> None:
        """Let the workers load their weights while files are read."""
        for job in self._jobs:
            job.worker()

    def _encode(self) -> Iterator[Progress]:
        for job in self._jobs:
            backlog = self._store.count_unencoded(job.spaces)
            if not backlog.documents:
                continue
            yield Progress("load", 0, None)
            stage = EncodingStage(self._store, job.spaces, job.worker())
            try:
                job.worker().info()  # waits for the weights
                started = time.monotonic()
                yield from stage.run(backlog.chars)
                self._note_given_up(stage)
                seconds = time.monotonic() - started
                remember(self._settings.home, stage.encoded_tokens, seconds)
            except (BackendUnavailable, ModelError, EncoderCrashed) as error:
                self.encoder_error = str(error)
                yield Progress("encode", 0, None, message=str(error))
            self._encoded_tokens += stage.encoded_tokens
            self._reused_windows += stage.reused_windows

    def _note_given_up(self, stage: EncodingStage) -> None:
        paths = [
            os.fsdecode(path)
            for document_id in stage.given_up
            for path in self._store.paths_of(document_id)[:1]
        ]
        if paths:
            self.encoder_error = (
                f"The encoder crashed on {', '.join(paths)}: found by keywords only. "
                "The next update tries again."
            )
