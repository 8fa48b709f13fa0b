"""New and changed files into documents: from here on they answer keyword queries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pplx_local.documents import Reader, digest_file, pipeline_of
from pplx_local.errors import DocumentError, Unreadable
from pplx_local.index.scan import Findings, record_of
from pplx_local.records import FileRecord, FolderRecord, Progress
from pplx_local.store import Store
from pplx_local.watch import Found

_COMMIT_EVERY_S = 0.25
"""What a kill may cost; also how often progress is told."""
_SETTLE_EVERY_S = 2.0
"""How long a replaced document may linger while others are read."""


@dataclass(slots=True)
class _Job:
    """A file on its way to a document."""

    number: int
    """From 1."""
    record: FileRecord
    pipeline: str
    error: DocumentError | None = None
    """Why it could not even be opened."""
    document_id: int | None = None
    """Of a document that is known already: a copy, a rename, a return."""


class ReadingStage:
    """The reading stage of one update, the newest files first."""

    def __init__(self, store: Store, reader: Reader, findings: Findings) -> None:
        """List the work; nothing is read before `run`."""
        self._store, self._reader = store, reader
        self._files = sorted(
            findings.to_read, key=lambda item: (-item[1].mtime_ns, item[1].path)
        )
        self._failures = findings.failures

    def run(self) -> Iterator[Progress]:
        """Read every file; one that cannot be read gets a state and a reason."""
        settled = time.monotonic()
        jobs = self._jobs()
        n_done = 0
        while job := self._finish_some(jobs):
            n_done = job.number
            yield Progress("read", n_done, len(self._files), job.record.path)
            if time.monotonic() - settled > _SETTLE_EVERY_S:
                self._store.settle_documents(time.time_ns())
                settled = time.monotonic()
        self._store.settle_documents(time.time_ns())
        yield Progress("read", n_done, len(self._files))

    def _finish_some(self, jobs: Iterator[_Job]) -> _Job | None:
        """Finish files for a moment, in one transaction; return the last one.

        Each document is whole or not there; the transaction around several saves the
        keyword index from being merged for each of them.
        """
        job = None
        until = time.monotonic() + _COMMIT_EVERY_S
        with self._store.transaction():
            for job in jobs:
                self._finish(job)
                if time.monotonic() > until:
                    break
        return job

    def _jobs(self) -> Iterator[_Job]:
        """Prepare one job ahead, so that its file is read while this one is stored."""
        current: _Job | None = None
        for number, (folder, found) in enumerate(self._files, 1):
            ahead = self._prepare(number, folder, found, current)
            if current:
                yield current
            current = ahead
        if current:
            yield current

    def _prepare(
        self, number: int, folder: FolderRecord, found: Found, before: _Job | None
    ) -> _Job:
        job = _Job(
            number,
            record_of(folder, found, "pending", "not read yet"),
            pipeline_of(found.path),
        )
        try:
            digest = digest_file(found.path)
        except DocumentError as error:
            job.error = error
            return job
        job.record = replace(job.record, digest=digest)
        job.document_id = self._store.find_document(digest, job.pipeline)
        is_copy_of_before = before is not None and before.record.digest == digest
        if job.document_id is None and not is_copy_of_before:
            self._reader.prefetch(found.path)
        return job

    def _finish(self, job: _Job) -> None:
        record = replace(job.record, pipeline=job.pipeline)
        try:
            document_id = self._document(job)
            record = replace(
                record, state="indexed", reason=None, document_id=document_id
            )
        except DocumentError as error:
            record = self._refused(record, error)
        self._store.put_file(record)
        if record.state == "failed":
            self._failures.append(record)

    def _refused(self, record: FileRecord, error: DocumentError) -> FileRecord:
        """Give the file its state; what it was before answers on if a retry may help."""
        old = self._store.file(record.path) if error.retry else None
        return replace(
            record,
            state=error.state,
            reason=str(error),
            retry=error.retry,
            document_id=old.document_id if old else None,
        )

    def _document(self, job: _Job) -> int:
        if job.error:
            raise job.error
        digest = job.record.digest
        assert digest is not None, "set, or there is an error"
        if job.document_id is None:
            job.document_id = self._store.find_document(digest, job.pipeline)
        if job.document_id is not None:
            return job.document_id
        reading = self._reader.read(job.record.path)
        with self._store.write_document(digest, job.pipeline) as writer:
            for block in reading:
                writer.add(block)
            if reading.digest != digest:
                raise Unreadable("it changed while it was being read", retry=True)
            writer.finish(reading.document)
        return writer.document_id
