"""Documents into vectors: one checkpoint, the spaces that it fills.

Everything is taken from the database and goes back to it, so a kill anywhere costs at
most the batches that were on their way. Between two steps others may write: a document
may be hidden, shown again or erased while its windows are encoded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from pplx_local.encoding import EncoderWorker
from pplx_local.errors import EncoderCrashed
from pplx_local.index.lanes import CHARS_PER_TOKEN, Course, Lanes, Step
from pplx_local.index.slices import slice_encoded
from pplx_local.records import Encoded, Progress, WindowPlan
from pplx_local.store import Space, Store

BATCH_CHARS = 20_000
"""Text that is sent to the worker at once, to begin with."""
BATCH_S = 0.5
"""What a batch should take: a document that was just saved waits for two of them."""
FEWEST_CHARS, MOST_CHARS = 2_000, 200_000
MAX_GIVEN_UP = 3
"""After so many documents it is the encoder that is broken, not the text."""

_ENOUGH_TOKENS = 1_000
"""Of a text, to say how many letters its tokens have."""

_POLL_S = 0.1
COUNT_EVERY_S = 10.0
"""What is left is counted anew: files may be read meanwhile. It takes 13 ms for 10,000
documents."""
_AHEAD = 2
"""Batches in the worker: while one is written, the next is encoded."""

_Sources = dict[int, dict[bytes, tuple[int, ...]]]
"""Chunks that have the vectors of windows, by space and digest."""

_course = attrgetter("course")


@dataclass(slots=True)
class _Batch:
    """Windows on their way through the worker together."""

    steps: list[Step]
    new: list[Step]
    """Those whose windows have to be encoded."""
    encoded: Future[Encoded] | None
    sent: float
    """When, by the monotonic clock."""
    done: float = 0.0

    def note_time(self, _: object) -> None:
        """Note that the worker is done, which may be long before anybody looks."""
        self.done = time.monotonic()


class _Pace:
    """How much text a batch takes, so that it takes about `BATCH_S`."""

    def __init__(self) -> None:
        self.n_chars = BATCH_CHARS
        self.busy_s = 0.0
        self._done = 0.0

    def learn(self, batch: _Batch) -> None:
        """Follow the speed of the worker, by halves and doubles at most."""
        took = max(batch.done - max(batch.sent, self._done), 1e-3)
        self._done = batch.done
        self.busy_s += took
        wanted = sum(step.n_chars for step in batch.new) * BATCH_S / took
        n_chars = int(min(max(wanted, self.n_chars / 2), self.n_chars * 2))
        self.n_chars = min(max(n_chars, FEWEST_CHARS), MOST_CHARS)


class EncodingStage:
    """The encoding stage of one update, for one checkpoint."""

    def __init__(
        self, store: Store, spaces: Sequence[Space], worker: EncoderWorker
    ) -> None:
        """Bind the spaces that the checkpoint fills."""
        self._store, self._spaces, self._worker = store, spaces, worker
        self._pace = _Pace()
        self._chars_done = 0
        self.encoded_tokens = 0
        self.reused_windows = 0
        self.given_up: list[int] = []
        """Documents on which the encoder crashed again and again."""

    @property
    def busy_s(self) -> float:
        """Seconds that the worker was busy with it, whoever waited or paused."""
        return self._pace.busy_s

    def run(self, n_chars: int) -> Generator[Progress, None, None]:
        """Encode what is missing, about `n_chars` of it; each batch is one transaction.

        What is read meanwhile comes next. Progress is told at least every 0.1 seconds,
        and then nothing is half-written.
        """
        done, in_all, counted = 0, n_chars, time.monotonic()
        while self._is_something_missing():
            for n_tokens in self._go_through():
                done += n_tokens
                if time.monotonic() - counted > COUNT_EVERY_S:
                    in_all, counted = self._count_chars(), time.monotonic()
                left = max(in_all - self._chars_done, 0)
                yield Progress("encode", done, done + self._tokens_in(left, done))
        yield Progress("encode", done, done)

    def _count_chars(self) -> int:
        """Count what is done, and what is missing now."""
        return self._chars_done + self._store.count_unencoded(self._spaces).chars

    def _tokens_in(self, n_chars: int, done: int) -> int:
        """Estimate the tokens of what is left by those of the text so far."""
        if done < _ENOUGH_TOKENS:
            return int(n_chars / CHARS_PER_TOKEN)
        return int(n_chars * done / self._chars_done)

    def _is_something_missing(self) -> bool:
        missing = self._store.unencoded_documents(self._spaces)
        return any(document_id not in self.given_up for document_id in missing)

    # --- through the worker ---

    def _go_through(self) -> Iterator[int]:
        """Encode all that is missing once; give the tokens of text that are done."""
        lanes = Lanes(self._store, self._worker, self._spaces, self.given_up)
        sent: deque[_Batch] = deque()
        while True:
            while len(sent) < _AHEAD and (steps := lanes.take(self._pace.n_chars)):
                sent.append(self._send(steps))
            awaited: Future[Any] | None = sent[0].encoded if sent else lanes.awaited
            if awaited and not awaited.done():
                wait([awaited], timeout=_POLL_S)
                yield 0
            elif sent:
                yield from self._keep(sent.popleft())
            elif not awaited:
                return

    def _send(self, steps: list[Step]) -> _Batch:
        plans = [step.plan for step in steps if step.plan]
        known = self._known(plans).values()
        new = [
            step
            for step in steps
            if step.plan and any(step.plan.digest not in windows for windows in known)
        ]
        batch = _Batch(steps, new, None, time.monotonic())
        if new:
            batch.encoded = self._worker.encode(
                [step.plan for step in new if step.plan]
            )
            batch.encoded.add_done_callback(batch.note_time)
        return batch

    def _known(self, plans: Sequence[WindowPlan]) -> _Sources:
        """Find the chunks that have the vectors of windows already."""
        digests = [plan.digest for plan in plans]
        return {
            space.space_id: self._store.known_windows(space, digests)
            for space in self._spaces
        }

    # --- into the database ---

    def _keep(self, batch: _Batch) -> Iterator[int]:
        """Store a batch when it is encoded; give the tokens of text it stands for."""
        while batch.encoded and not batch.encoded.done():
            wait([batch.encoded], timeout=_POLL_S)
            yield 0
        try:
            encoded = batch.encoded.result() if batch.encoded else None
        except EncoderCrashed as error:
            yield from self._keep_apart(batch, error)
            return
        if encoded:
            self._pace.learn(batch)
        yield self._write(batch, encoded)

    def _keep_apart(self, batch: _Batch, error: EncoderCrashed) -> Iterator[int]:
        """Send each document of a batch alone: one of them cannot be encoded."""
        courses = [list(steps) for _, steps in groupby(batch.steps, _course)]
        if len(courses) == 1:
            self._give_up(batch.steps[0].course, error)
            return
        for steps in courses:
            if not steps[0].course.has_crashed:
                yield from self._keep(self._send(steps))

    def _give_up(self, course: Course, error: EncoderCrashed) -> None:
        """Leave a document without vectors, unless it is the encoder that is broken."""
        course.has_crashed = True
        if course.document_id not in self.given_up:  # others of it were on their way
            self.given_up.append(course.document_id)
        if len(self.given_up) >= MAX_GIVEN_UP:
            raise error

    def _write(self, batch: _Batch, encoded: Encoded | None) -> int:
        new = [(step, step.plan) for step in batch.new if step.plan]
        is_new = set(map(id, batch.new))
        known = [
            (step, step.plan)
            for step in batch.steps
            if step.plan and id(step) not in is_new
        ]
        with self._store.transaction():
            self._note_hidden(batch)
            self._reuse(known)
            if encoded:
                self._insert(new, encoded)
            for step in batch.steps:
                if step.plan is None:
                    self._finish(step.course)
        self._chars_done += sum(step.n_chars for step in batch.steps)
        self.encoded_tokens += sum(plan.n_tokens for _, plan in new)
        self.reused_windows += len(known)
        return sum(_n_pooled(plan) for _, plan in [*new, *known])

    def _note_hidden(self, batch: _Batch) -> None:
        """Find documents that were hidden or erased while they were on their way.

        Of those nothing is kept. One that is shown again lacks something then, and
        takes its turn anew.
        """
        for course in {step.course for step in batch.steps}:
            course.is_hidden = not self._store.is_visible(course.document_id)
            course.is_whole &= not course.is_hidden

    def _reuse(self, known: Sequence[tuple[Step, WindowPlan]]) -> None:
        # Looked up again: what had these vectors may be erased by now.
        sources = self._known([plan for _, plan in known])
        for step, plan in known:
            found = [sources[space.space_id].get(plan.digest) for space in self._spaces]
            if step.course.is_hidden or None in found:
                step.course.is_whole = False
                continue
            for space, source in zip(self._spaces, found, strict=True):
                if source and source != step.chunk_ids:
                    self._store.copy_vectors(space, plan.digest, source, step.chunk_ids)

    def _insert(self, new: Sequence[tuple[Step, WindowPlan]], encoded: Encoded) -> None:
        counts = [len(step.chunk_ids) for step, _ in new]
        for space in self._spaces:
            vectors = encoded.dense if space.spec.role == "dense" else encoded.tokens
            assert vectors is not None, "the recipe makes what the spaces need"
            pieces = slice_encoded(vectors, counts)
            for (step, plan), piece in zip(new, pieces, strict=True):
                if not step.course.is_hidden:
                    self._store.write_vectors(space, plan.digest, step.chunk_ids, piece)

    def _finish(self, course: Course) -> None:
        """Mark a document as complete if all of it is there."""
        if course.is_whole and not course.has_crashed:
            for space in self._spaces:
                self._store.finish_document(
                    space, course.document_id, course.n_without_tokens
                )


def _n_pooled(plan: WindowPlan) -> int:
    """Count the tokens that a plan owns: what it reads as context is no progress."""
    return sum(span.end - span.start for one in plan.windows for span in one.pool_spans)
