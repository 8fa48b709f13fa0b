"""Documents into vectors: one checkpoint, the spaces that it fills.

Everything is taken from the database and goes back to it, so a kill anywhere costs at
most the batches that were on their way. A portion of a document is planned from its
text alone, whatever was encoded before or beside it; so its windows, and their digests,
are always the same, and known digests cost nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

from pplx_local.encoding import EncoderWorker
from pplx_local.errors import EncoderCrashed
from pplx_local.index.portions import Portion, portions_of
from pplx_local.index.slices import slice_encoded
from pplx_local.records import Encoded, Progress, WindowPlan
from pplx_local.store import Space, Store

BATCH_CHARS = 200_000
"""Text that is sent to the worker at once: some seconds of work on a laptop's CPU."""
MAX_GIVEN_UP = 3
"""After so many documents it is the encoder that is broken, not the text."""
CHARS_PER_TOKEN = 4.4
"""Of English prose in WordPiece or byte-level BPE; an estimate, for progress."""


class _Planned(NamedTuple):
    """A portion whose plans were asked for."""

    portion: Portion
    plans: Future[list[WindowPlan]]


@dataclass(slots=True)
class _Batch:
    """Portions on their way through the worker together."""

    portions: list[Portion]
    plans: list[tuple[Portion, WindowPlan]]
    """Windows that have to be encoded."""
    reused: list[tuple[Portion, WindowPlan, dict[int, tuple[int, ...]]]]
    """Windows whose vectors are known, with the chunks that have them, by space."""
    encoded: Future[Encoded] | None


class EncodingStage:
    """The encoding stage of one update, for one checkpoint."""

    def __init__(
        self, store: Store, spaces: Sequence[Space], worker: EncoderWorker
    ) -> None:
        """Bind the spaces that the checkpoint fills."""
        self._store, self._spaces, self._worker = store, spaces, worker
        self._without_tokens: dict[int, int] = {}
        """Chunks without tokens in the portions so far, by document."""
        self.encoded_tokens = 0
        self.reused_windows = 0
        self.given_up: list[int] = []
        """Documents on which the encoder crashed again and again."""

    def run(self, n_chars: int) -> Iterator[Progress]:
        """Encode what is missing, `n_chars` of it; each batch is one transaction."""
        total = int(n_chars / CHARS_PER_TOKEN)
        done = 0
        for batch in self._in_flight(self._planned(self._gathered())):
            done += self._keep(batch)
            yield Progress("encode", done, max(total, done))
        yield Progress("encode", done, done)

    # --- portions, gathered into batches ---

    def _gathered(self) -> Iterator[list[Portion]]:
        batch: list[Portion] = []
        n_chars = 0
        for portion in self._portions():
            batch.append(portion)
            n_chars += portion.n_chars
            if n_chars >= BATCH_CHARS:
                yield batch
                batch, n_chars = [], 0
        if batch:
            yield batch

    def _portions(self) -> Iterator[Portion]:
        for document_id in self._store.unencoded_documents(self._spaces):
            chunks = self._store.chunk_texts(document_id)
            texts = ((chunk_id, text) for chunk_id, _, text in chunks)
            for portion in portions_of(document_id, texts, self._context_chars()):
                if document_id in self.given_up:  # crash after crash takes minutes
                    break
                yield portion

    def _context_chars(self) -> int | None:
        """Say how much text the windows at a portion's ends may read beyond it.

        They share half on each side; so a text of twice as many characters per token
        still has enough.
        """
        rule = self._worker.window_rule
        if rule.kind == "single":
            return None
        return int(rule.shared * CHARS_PER_TOKEN)

    # --- through the worker, always two batches ahead ---

    def _planned(self, batches: Iterator[list[Portion]]) -> Iterator[list[_Planned]]:
        """Ask for the plans of a batch before the one in front of it is encoded."""
        ahead: deque[list[_Planned]] = deque()
        for batch in batches:
            ahead.append([self._ask(portion) for portion in batch])
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead

    def _ask(self, portion: Portion) -> _Planned:
        return _Planned(portion, self._worker.plan(portion.texts, portion.owned))

    def _in_flight(self, batches: Iterator[list[_Planned]]) -> Iterator[_Batch]:
        ahead: deque[_Batch] = deque()
        for planned in batches:
            ahead.append(self._submit(planned))
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead

    def _submit(self, planned: list[_Planned]) -> _Batch:
        batch = _Batch([portion for portion, _ in planned], [], [], None)
        for portion, future in planned:
            plans = future.result()
            owned = sum(len(plan.chunk_indices) for plan in plans)
            self._count_without_tokens(portion, len(portion.owned) - owned)
            self._sort_out(batch, portion, plans)
        if batch.plans:
            batch.encoded = self._worker.encode([plan for _, plan in batch.plans])
        return batch

    def _count_without_tokens(self, portion: Portion, n: int) -> None:
        before = self._without_tokens.get(portion.document_id, 0)
        self._without_tokens[portion.document_id] = before + n

    def _sort_out(
        self, batch: _Batch, portion: Portion, plans: Sequence[WindowPlan]
    ) -> None:
        """Part the windows whose vectors every space knows from the others."""
        digests = [plan.digest for plan in plans]
        known = [self._store.known_windows(space, digests) for space in self._spaces]
        for plan in plans:
            if all(plan.digest in windows for windows in known):
                sources = {
                    space.space_id: windows[plan.digest]
                    for space, windows in zip(self._spaces, known, strict=True)
                }
                batch.reused.append((portion, plan, sources))
            else:
                batch.plans.append((portion, plan))

    # --- into the database ---

    def _keep(self, batch: _Batch) -> int:
        """Store a batch; return the tokens of text that it stands for."""
        try:
            return self._write_batch(batch)
        except EncoderCrashed as error:
            if len(batch.portions) > 1:
                return sum(map(self._keep, self._apart(batch)))
            self._give_up(batch.portions[0], error)
            return 0

    def _apart(self, batch: _Batch) -> Iterator[_Batch]:
        """Send each portion of a batch alone, to find the one that cannot be encoded."""
        for portion in batch.portions:
            if portion.document_id in self.given_up:
                continue
            plans = [(p, plan) for p, plan in batch.plans if p is portion]
            reused = [row for row in batch.reused if row[0] is portion]
            windows = [plan for _, plan in plans]
            encoded = self._worker.encode(windows) if windows else None
            yield _Batch([portion], plans, reused, encoded)

    def _give_up(self, portion: Portion, error: EncoderCrashed) -> None:
        """Leave a document without vectors, unless it is the encoder that is broken."""
        if portion.document_id not in self.given_up:  # others of it were on their way
            self.given_up.append(portion.document_id)
        if len(self.given_up) >= MAX_GIVEN_UP:
            raise error

    def _write_batch(self, batch: _Batch) -> int:
        encoded = batch.encoded.result() if batch.encoded else None
        with self._store.transaction():
            for portion, plan, sources in batch.reused:
                self._reuse(portion, plan, sources)
            if encoded:
                self._write(batch, encoded)
            for portion in batch.portions:
                if portion.is_last and portion.document_id not in self.given_up:
                    self._finish(portion.document_id)
        new = [plan for _, plan in batch.plans]
        known = [plan for _, plan, _ in batch.reused]
        self.encoded_tokens += sum(plan.n_tokens for plan in new)
        self.reused_windows += len(known)
        return sum(map(_n_pooled, [*new, *known]))

    def _reuse(
        self,
        portion: Portion,
        plan: WindowPlan,
        sources: dict[int, tuple[int, ...]],
    ) -> None:
        chunk_ids = _chunk_ids(portion, plan)
        for space in self._spaces:
            source = sources[space.space_id]
            if source != chunk_ids:
                self._store.copy_vectors(space, plan.digest, source, chunk_ids)

    def _write(self, batch: _Batch, encoded: Encoded) -> None:
        counts = [len(plan.chunk_indices) for _, plan in batch.plans]
        for space in self._spaces:
            vectors = encoded.dense if space.spec.role == "dense" else encoded.tokens
            assert vectors is not None, "the recipe makes what the spaces need"
            pieces = slice_encoded(vectors, counts)
            for (portion, plan), piece in zip(batch.plans, pieces, strict=True):
                ids = _chunk_ids(portion, plan)
                self._store.write_vectors(space, plan.digest, ids, piece)

    def _finish(self, document_id: int) -> None:
        n_without_tokens = self._without_tokens.pop(document_id, 0)
        for space in self._spaces:
            self._store.finish_document(space, document_id, n_without_tokens)


def _chunk_ids(portion: Portion, plan: WindowPlan) -> tuple[int, ...]:
    return tuple(portion.chunk_ids[index] for index in plan.chunk_indices)


def _n_pooled(plan: WindowPlan) -> int:
    """Count the tokens that a plan owns: what it reads as context is no progress."""
    return sum(span.end - span.start for one in plan.windows for span in one.pool_spans)
