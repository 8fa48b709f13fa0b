"""Files that wait into documents: from here on they answer keyword queries."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from pplx_local.documents import Reader, digest_file
from pplx_local.errors import DocumentError, ReaderKilled, Unreadable
from pplx_local.index.findings import Findings
from pplx_local.index.happening import Happening, Tell, Told, tell_nobody
from pplx_local.index.look import denied_record, look_at, record_of, why_unreachable
from pplx_local.index.missing import away
from pplx_local.records import FileRecord, FolderRecord, Progress
from pplx_local.store import Kills, Store, Waiting
from pplx_local.watch import Denied, Found

MAX_KILLS = 3
"""A file that killed its reader so often is left alone. It is tried again later, not at
once: the machine may have been short of memory, and a file that hangs costs the whole
time that it is given."""

_COMMIT_EVERY_S = 0.25
"""What a kill may cost; also how often progress is told."""
_WAIT_S = 0.1
"""Between two looks whether a slow file has been read; others work meanwhile."""
_SETTLE_EVERY_S = 2.0
"""How long a replaced document may linger while others are read."""


@dataclass(slots=True)
class _Job:
    """A file on its way to a document."""

    waiting: Waiting
    found: Found | Denied | None
    """What a look at it showed just now; None when it is gone."""
    pipeline: str
    digest: str | None = None
    error: DocumentError | None = None
    """Why it could not even be opened."""
    document_id: int | None = None
    """Of a document that is known already: a copy, a rename, a return."""
    is_asked: bool = False
    """Whether the reader was asked for it ahead."""


class ReadingStage:
    """Reads what is due in the queue, the newest files first."""

    def __init__(
        self,
        store: Store,
        reader: Reader,
        findings: Findings,
        *,
        tries: int = 1,
        stale: bool = False,
        tell: Tell = tell_nobody,
    ) -> None:
        """Prepare; nothing is read before `run`.

        Args:
            store: Open for writing.
            reader: May live on between stages.
            findings: Failures are added here.
            tries: How often a file is tried before a failure that may mend itself is
                taken for one.
            stale: Read files too whose documents an older program made.
            tell: Told what became of each file.
        """
        self._store, self._reader, self._findings = store, reader, findings
        self._tries, self._stale, self._told = tries, stale, Told(tell)
        self._began = time.monotonic()
        self._awaited: _Job | None = None

    def run(self) -> Generator[Progress, None, None]:
        """Read until nothing is due; each file gets its record as it leaves the queue.

        What comes into the queue meanwhile takes its turn by its age.
        """
        settled = time.monotonic()
        jobs = self._jobs()
        n_done = 0
        try:
            while (finished := self._finish_some(jobs)) or self._awaited:
                n_done += len(finished)
                n_due = self._store.count_due(time.time_ns(), stale=self._stale)
                total = n_done + n_due
                if finished:
                    yield Progress("read", n_done, total, finished[-1])
                yield from self._wait(n_done, total)
                if time.monotonic() - settled > _SETTLE_EVERY_S:
                    self._store.settle_documents(time.time_ns())
                    settled = time.monotonic()
        finally:
            jobs.close()
        self._store.settle_documents(time.time_ns())
        yield Progress("read", n_done, n_done)

    def _finish_some(self, jobs: Iterator[_Job]) -> list[bytes]:
        """Finish files for a moment, in one transaction; return their paths.

        Each document is whole or not there; the transaction around several saves the
        keyword index from being merged for each of them. A file that takes the reader
        longer is left in `_awaited`.
        """
        finished = []
        until = time.monotonic() + _COMMIT_EVERY_S
        self._told.forget()
        with self._store.transaction():
            while job := self._awaited or next(jobs, None):
                self._awaited = job
                if not self._is_read(job, until - time.monotonic()):
                    break
                self._awaited = None
                self._finish(job)
                finished.append(job.waiting.path)
                if time.monotonic() > until:
                    break
        self._told.pass_on()
        return finished

    def _wait(self, n_done: int, total: int) -> Iterator[Progress]:
        """Wait for a slow file, with the database open to others."""
        while self._awaited and not self._is_read(self._awaited, _WAIT_S):
            path = self._awaited.waiting.path
            yield Progress("read", n_done, total, path, waits=True)

    def _is_read(self, job: _Job, wait_s: float) -> bool:
        return not job.is_asked or self._reader.has_read(job.waiting.path, wait_s)

    def _jobs(self) -> Generator[_Job, None, None]:
        """Prepare one job ahead, so that its file is read while this one is stored."""
        current: _Job | None = None
        ahead: _Job | None = None
        try:
            while True:
                ahead = self._prepare_next(current)
                if current:
                    yield current
                elif not ahead:
                    return
                current = ahead
        finally:
            for job in filter(None, (current, ahead)):
                self._drop(job)

    def _prepare_next(self, current: _Job | None) -> _Job | None:
        now_ns = time.time_ns()
        for waiting in self._store.due_files(now_ns, limit=2, stale=self._stale):
            if not current or waiting.path != current.waiting.path:
                return self._prepare(waiting, current)
        return None

    def _prepare(self, waiting: Waiting, before: _Job | None) -> _Job:
        path = waiting.path
        job = _Job(waiting, look_at(path), self._reader.pipeline_of(path))
        if not isinstance(job.found, Found) or job.found.skip:
            return job
        try:
            job.digest = digest_file(path)
        except DocumentError as error:
            job.error = error
            return job
        job.document_id = self._store.find_document(job.digest, job.pipeline)
        kills = self._store.kills(job.digest, job.pipeline)
        if kills.n >= MAX_KILLS:
            job.error = _given_up(kills)
            return job
        is_copy_of_before = before is not None and before.digest == job.digest
        if job.document_id is None and not is_copy_of_before:
            self._reader.prefetch(path)
            job.is_asked = True
        return job

    # --- one file ---

    def _finish(self, job: _Job) -> None:
        """Settle a file, as it is now, unless that was done since it was prepared."""
        self._began = time.monotonic()
        waiting = self._store.queued(job.waiting.path)
        folder = self._folder(waiting.folder_id) if waiting else None
        if folder is None or look_at(job.waiting.path) != job.found:
            self._drop(job)
            job = self._prepare(job.waiting, None) if folder else job
        if folder:
            self._settle(job, folder)
        job.is_asked = False

    def _drop(self, job: _Job) -> None:
        """Let the reader forget what nobody will take, or what is out of date."""
        if job.is_asked:
            self._reader.close()
            job.is_asked = False

    def _folder(self, folder_id: int) -> FolderRecord | None:
        return next(
            (f for f in self._store.folders() if f.folder_id == folder_id), None
        )

    def _settle(self, job: _Job, folder: FolderRecord) -> None:
        match job.found:
            case None:
                self._let_go(job.waiting.path, folder)
            case Denied():
                self._put(denied_record(folder, job.found))
            case Found(skip=str(reason)):
                self._put(record_of(folder, job.found, "skipped", reason))
            case Found():
                self._read(job, record_of(folder, job.found, "pending", ""))

    def _let_go(self, path: bytes, folder: FolderRecord) -> None:
        reason = why_unreachable(folder, has_files=True)
        record = self._store.file(path)
        if reason and record:
            self._put(away(record, reason))
        else:
            self._store.forget_files([path])
            self._told.note(Happening(path, "removed"))

    def _read(self, job: _Job, record: FileRecord) -> None:
        record = replace(record, digest=job.digest, pipeline=job.pipeline)
        try:
            document_id = self._document(job)
        except ReaderKilled as error:
            self._refuse(record, self._counted(job, error))
        except DocumentError as error:
            self._refuse(record, error)
        else:
            indexed = replace(record, state="indexed", reason=None)
            self._put(replace(indexed, document_id=document_id))

    def _counted(self, job: _Job, error: ReaderKilled) -> Unreadable:
        assert job.digest is not None, "it was read"
        n_kills = self._store.count_kill(job.digest, job.pipeline, str(error))
        return _given_up(Kills(n_kills, str(error))) if n_kills >= MAX_KILLS else error

    def _refuse(self, record: FileRecord, error: DocumentError) -> None:
        """Give the file its state; what it was before answers on if a retry may help."""
        record = replace(
            record, state=error.state, reason=str(error), retry=error.retry
        )
        if error.retry:
            old, waiting = (
                self._store.file(record.path),
                self._store.queued(record.path),
            )
            record = replace(record, document_id=old.document_id if old else None)
            if waiting and waiting.attempts + 1 < self._tries:
                self._put_off(record, waiting.attempts + 1)
                return
        self._put(record)

    def _put_off(self, record: FileRecord, n_tried: int) -> None:
        reason = str(record.reason)
        wait_s = self._store.put_off(record.path, reason, time.time_ns())
        told = f"{reason}; tried {n_tried} of {self._tries} times; next in {wait_s} s"
        self._keep(replace(record, state="pending", reason=told))

    def _put(self, record: FileRecord) -> None:
        self._keep(record)
        self._store.unqueue(record.path)
        if record.state == "failed":
            self._findings.failures.append(record)

    def _keep(self, record: FileRecord) -> None:
        self._store.put_file(record)
        took_ms = (time.monotonic() - self._began) * 1e3
        self._told.note(Happening(record.path, record.state, record.reason, took_ms))

    def _document(self, job: _Job) -> int:
        if job.error:
            raise job.error
        digest = job.digest
        assert digest is not None, "set, or there is an error"
        if job.document_id is None:
            job.document_id = self._store.find_document(digest, job.pipeline)
        if job.document_id is not None:
            return job.document_id
        reading = self._reader.read(job.waiting.path)
        with self._store.write_document(digest, job.pipeline) as writer:
            for block in reading:
                writer.add(block)
            if reading.digest != digest:
                raise Unreadable("it changed while it was being read", retry=True)
            writer.finish(reading.document)
        return writer.document_id


def _given_up(kills: Kills) -> Unreadable:
    return Unreadable(f"{kills.reason}, {kills.n} times")
