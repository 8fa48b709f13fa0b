"""What is to be embedded next: documents in portions, planned ahead into windows.

A portion of a document is planned from its text alone, whatever was encoded before or
beside it; so its windows, and their digests, are always the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

from pplx_local.encoding import EncoderWorker
from pplx_local.index.headings import Headings
from pplx_local.index.portions import ChunkText, Portion, portions_of
from pplx_local.records import WindowPlan
from pplx_local.store import Space, Store

CHARS_PER_TOKEN = 4.4
"""Of English prose in WordPiece or byte-level BPE; an estimate, for progress."""


@dataclass(slots=True, eq=False)
class Course:
    """A document on its way through the worker."""

    document_id: int
    n_without_tokens: int = 0
    """Chunks without tokens in the portions so far."""
    is_hidden: bool = False
    """Whether it was, or erased, when a window of it was to be written last."""
    is_whole: bool = True
    """Whether all windows so far are in the database."""
    has_crashed: bool = False
    """Whether the encoder did, on a window of it."""


class Step(NamedTuple):
    """A window that is to be encoded, or the end of its document."""

    course: Course
    chunk_ids: tuple[int, ...] = ()
    n_chars: int = 0
    plan: WindowPlan | None = None
    """None for the end."""


class _Asked(NamedTuple):
    """A portion whose plans were asked for."""

    course: Course
    portion: Portion
    plans: Future[list[WindowPlan]]


class Lane:
    """Some documents, one after the other."""

    def __init__(
        self, store: Store, worker: EncoderWorker, documents: Iterator[int]
    ) -> None:
        """Nothing is read before `take`."""
        self._store, self._worker = store, worker
        self._portions = self._cut(documents)
        self._is_cut = False
        self._asked: deque[_Asked] = deque()
        self._ready: deque[Step] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether everything was taken."""
        return self._is_cut and not self._asked and not self._ready

    @property
    def awaited(self) -> Future[list[WindowPlan]] | None:
        """What has to be done before something can be taken."""
        return self._asked[0].plans if self._asked else None

    def take(self, n_chars: int) -> list[Step]:
        """Take windows of about so much text, and ask for the plans of as much again.

        Returns:
            Nothing while plans are awaited.
        """
        self._ask(2 * n_chars)
        while self._asked and self._asked[0].plans.done():
            self._ready.extend(_steps(self._asked.popleft()))
        if self._asked and self._n_ready() < n_chars:
            return []
        taken: list[Step] = []
        while self._ready and n_chars > 0:
            taken.append(self._ready.popleft())
            n_chars -= taken[-1].n_chars
        while taken and self._ready and self._ready[0].plan is None:
            taken.append(self._ready.popleft())
        return taken

    def _n_ready(self) -> int:
        return sum(step.n_chars for step in self._ready)

    def _ask(self, n_chars: int) -> None:
        """Ask for plans ahead: the worker makes them between two batches."""
        n_ahead = self._n_ready() + sum(one.portion.n_chars for one in self._asked)
        while n_ahead < n_chars and not self._is_cut:
            following = next(self._portions, None)
            if following is None:
                self._is_cut = True
                return
            course, portion = following
            plans = self._worker.plan(portion.texts, portion.owned, portion.headings)
            self._asked.append(_Asked(course, portion, plans))
            n_ahead += portion.n_chars

    def _cut(self, documents: Iterator[int]) -> Iterator[tuple[Course, Portion]]:
        for document_id in documents:
            course = Course(document_id)
            chunks = self._chunks(document_id)
            portions = portions_of(document_id, chunks, self._context_chars())
            # Between two portions the document may be hidden, or erased.
            while not course.has_crashed and self._store.is_visible(document_id):
                portion = next(portions, None)
                if portion is None:
                    break
                yield course, portion

    def _chunks(self, document_id: int) -> Iterator[ChunkText]:
        chunks = self._store.chunk_texts(document_id)
        if not self._worker.window_rule.heading_tokens:
            return (ChunkText(chunk_id, text) for chunk_id, _, text in chunks)
        headings = Headings(self._store.document_meta(document_id))
        return (
            ChunkText(chunk_id, text, headings.above(chunk.char_span.start, text))
            for chunk_id, chunk, text in chunks
        )

    def _context_chars(self) -> int | None:
        """Say how much text the windows at a portion's ends may read beyond it.

        They share half on each side; so a text of twice as many characters per token
        still has enough.
        """
        rule = self._worker.window_rule
        if rule.kind == "single":
            return None
        return int(rule.shared * CHARS_PER_TOKEN)


class Lanes:
    """All that a checkpoint's spaces lack; what is read meanwhile comes first."""

    def __init__(
        self,
        store: Store,
        worker: EncoderWorker,
        spaces: Sequence[Space],
        passed_over: Container[int],
    ) -> None:
        """Nothing is read before `take`; some documents are passed over."""
        self._store, self._worker, self._spaces = store, worker, spaces
        self._passed_over = passed_over
        self._newest = 0
        self._lanes: list[Lane] = []

    @property
    def awaited(self) -> Future[list[WindowPlan]] | None:
        """What has to be done before something can be taken; None at the end."""
        return self._lanes[-1].awaited if self._lanes else None

    def take(self, n_chars: int) -> list[Step]:
        """Take windows of about so much text; none while plans are awaited."""
        self._look_for_newer()
        for lane in reversed(self._lanes):
            if taken := lane.take(n_chars):
                return taken
        self._lanes = [lane for lane in self._lanes if not lane.is_empty]
        return []

    def _look_for_newer(self) -> None:
        newest = self._store.newest_document()
        if newest > self._newest:
            found = self._store.unencoded_documents(self._spaces, after=self._newest)
            documents = (one for one in found if one not in self._passed_over)
            self._lanes.append(Lane(self._store, self._worker, documents))
            self._newest = newest


def _steps(asked: _Asked) -> Iterator[Step]:
    course, portion, plans = asked
    n_owned = 0
    for plan in plans.result():
        n_owned += len(plan.chunk_indices)
        ids = tuple(portion.chunk_ids[index] for index in plan.chunk_indices)
        n_chars = sum(len(portion.texts[index]) for index in plan.chunk_indices)
        yield Step(course, ids, n_chars, plan)
    course.n_without_tokens += len(portion.owned) - n_owned
    if portion.is_last:
        yield Step(course)
