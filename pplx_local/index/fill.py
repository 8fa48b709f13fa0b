"""The embedding stage of an update: what answers now comes first, then what is wanted.

One model after the other, so that the memory never holds two.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path

from pplx_local.encoding import EncoderWorker
from pplx_local.errors import BackendUnavailable, EncoderCrashed, ModelError, StoreFull
from pplx_local.index.encode import EncodingStage
from pplx_local.index.serving import Held, ProfileSpaces, checkpoints_of, names
from pplx_local.index.speed import remember
from pplx_local.index.workers import Workers
from pplx_local.records import Progress, Role
from pplx_local.store import Backlog, Space, Store

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class _Job:
    """The spaces of one checkpoint that are filled together."""

    held: tuple[Held, ...]
    message: str | None
    """Said before the model is loaded, where more than one takes part."""

    @property
    def spaces(self) -> list[Space]:
        return [one.space for one in self.held]


class Filling:
    """The embedding stage of one update, for all checkpoints that take part.

    Every batch is one transaction, and what to do next is read from the store: stopped
    or killed anywhere, the next update goes on from there.
    """

    def __init__(
        self,
        store: Store,
        spaces: ProfileSpaces,
        workers: Workers,
        home: Path,
        mismatched: Mapping[Role, str],
    ) -> None:
        """Prepare; nothing is loaded before `warm_up` or `run`.

        Args:
            store: What is filled.
            spaces: Say with what.
            workers: Do the embedding.
            home: Where speeds are remembered.
            mismatched: Why vectors of a role are left as they are.
        """
        self._store, self._spaces = store, spaces
        self._workers, self._home = workers, home
        self.is_complete = False
        """Whether `run` embedded all that can be, but for what crashes the encoder."""
        self.encoded_tokens = 0
        self.reused_windows = 0
        self._mismatched = mismatched
        self.error: str | None = " ".join(dict.fromkeys(mismatched.values())) or None
        """Why vectors are missing; None when none are."""

    def backlog(self) -> Backlog:
        """Count what `run` would embed: documents and characters, for each model."""
        jobs = [*self._first_jobs(), *self._wanted_jobs()]
        counts = [self._store.count_unencoded(job.spaces) for job in jobs]
        return Backlog(*map(sum, zip((0, 0), *counts, strict=True)))

    def warm_up(self) -> None:
        """Let the first model load its weights while files are read."""
        for job in self._first_jobs() or self._wanted_jobs():
            self._start(job)
            return

    def run(self) -> Generator[Progress, None, None]:
        """Embed what is missing."""
        if self.error:
            yield self._told(self.error)
        for job in self._first_jobs():
            yield from self._fill(job)
        filled = []
        for job in self._wanted_jobs():
            filled.append((yield from self._fill(job)))
        is_blocked = bool(self._mismatched) or self._spaces.is_waiting()
        self.is_complete = all(filled) and not is_blocked

    def switch(self) -> Generator[Progress, None, None]:
        """Drop the old spaces when the wanted ones are as full as they get."""
        wanted = self._spaces.wanted()
        here = [held for held in wanted.values() if held]
        outdated = self._spaces.outdated()
        if not (self.is_complete and outdated and here and len(here) == len(wanted)):
            return
        gone = " and ".join(checkpoints_of(outdated))
        yield self._told(
            f"The model is {names(here)} now. Removing the vectors of {gone}."
        )
        self._spaces.drop(outdated)
        try:
            # Of what is hidden nothing is embedded anew, so little is lost with it.
            self._store.purge()
        except StoreFull as error:
            yield self._told(f"Their room will be used again, but: {error}")

    # --- what to do ---

    def _first_jobs(self) -> list[_Job]:
        """Bring the spaces that answer during a change up to date.

        One that lacks more than it has is left as it is: finishing it would cost more
        than it is worth.
        """
        if not self._spaces.is_changing():
            return []
        n_documents = self._store.count_documents()
        serving = [
            held
            for held in self._spaces.serving().values()
            if self._spaces.lacking(held) * 2 <= n_documents
        ]
        return _jobs(
            serving, "New files for {}, which answers until the model has changed."
        )

    def _wanted_jobs(self) -> list[_Job]:
        held = [
            one
            for one in self._spaces.wanted_here()
            if one.space.spec.role not in self._mismatched
        ]
        if self._spaces.is_changing():
            old = names(self._spaces.serving().values())
            return _jobs(held, f"Embedding with {{}}; {old} answers until it is done.")
        several = len({one.checkpoint.name for one in held}) > 1
        return _jobs(held, "Embedding with {}." if several else None)

    # --- doing it ---

    def _fill(self, job: _Job) -> Generator[Progress, None, bool]:
        """Fill the spaces of a job; return whether it came to its end."""
        backlog = self._store.count_unencoded(job.spaces)
        if not backlog.documents:
            return True
        yield Progress("load", 0, None, message=job.message)
        worker = self._start(job)
        stage = EncodingStage(self._store, job.spaces, worker)
        try:
            yield from _loaded(worker)
            yield from stage.run(backlog.chars)
            self._note_given_up(stage)
            checkpoint = job.held[0].checkpoint
            remember(self._home, checkpoint, stage.encoded_tokens, stage.busy_s)
            return True
        except (BackendUnavailable, ModelError, EncoderCrashed) as error:
            self.error = str(error)
            yield Progress("encode", 0, None, message=str(error))
            return False
        finally:
            self.encoded_tokens += stage.encoded_tokens
            self.reused_windows += stage.reused_windows

    def _start(self, job: _Job) -> EncoderWorker:
        first = job.held[0]
        return self._workers.only(first.checkpoint, first.model_dir)

    def _note_given_up(self, stage: EncodingStage) -> None:
        paths = [
            os.fsdecode(path)
            for document_id in stage.given_up
            for path in self._store.paths_of(document_id)[:1]
        ]
        if paths:
            self.error = (
                f"The encoder crashed on {', '.join(paths)}: found by keywords only. "
                "The next update tries again."
            )

    def _told(self, message: str) -> Progress:
        n = self.encoded_tokens
        return Progress("encode", n, n, message=message)


def _loaded(worker: EncoderWorker) -> Iterator[Progress]:
    """Wait for the weights.

    Raises:
        BackendUnavailable: The framework or the device is not here.
        EncoderCrashed: The worker ended again and again.
        ModelError: The folder does not hold the checkpoint.
    """
    if not worker.is_ready():
        first = worker.plan([""])  # done, or failed, when that is decided
        while not first.done():
            wait([first], timeout=_POLL_S)
            yield Progress("load", 0, None)
    worker.info()


def _jobs(held: Iterable[Held], message: str | None) -> list[_Job]:
    """Put the spaces of each checkpoint together; the message names it."""
    by_checkpoint: dict[str, list[Held]] = {}
    for one in held:
        by_checkpoint.setdefault(one.checkpoint.name, []).append(one)
    return [
        _Job(tuple(spaces), message and message.format(name))
        for name, spaces in by_checkpoint.items()
    ]
