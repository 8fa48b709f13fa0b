"""Documents into vectors: one checkpoint, the spaces that it fills.

Everything is taken from the database and goes back to it, so a kill anywhere costs at
most the batches that were on their way. A portion of a document is planned by itself,
whatever was encoded before or beside it; so its windows, and their digests, are always
the same, and known digests cost nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from pplx_local.encoding import EncoderWorker
from pplx_local.errors import EncoderCrashed
from pplx_local.index.slices import slice_encoded
from pplx_local.records import Encoded, Progress, WindowPlan
from pplx_local.store import Space, Store

PORTION_CHARS = 200_000
"""Text of one document that is tokenised at once; a longer one comes in portions."""
BATCH_CHARS = 200_000
"""Text that is sent to the worker at once: some seconds of work on a laptop's CPU."""
MAX_GIVEN_UP = 3
"""After so many documents it is the encoder that is broken, not the text."""
CHARS_PER_TOKEN = 4.4
"""Of English prose in WordPiece or byte-level BPE; an estimate, for progress."""


@dataclass(slots=True)
class _Portion:
    """Consecutive chunks of one document."""

    document_id: int
    chunk_ids: list[int]
    texts: list[str]
    is_last: bool
    plans: Future[list[WindowPlan]] | None = None

    @property
    def n_chars(self) -> int:
        return sum(map(len, self.texts))


@dataclass(slots=True)
class _Batch:
    """Portions on their way through the worker together."""

    portions: list[_Portion]
    plans: list[tuple[_Portion, WindowPlan]]
    """Windows that have to be encoded."""
    reused: list[tuple[_Portion, WindowPlan, dict[int, tuple[int, ...]]]]
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

    def _gathered(self) -> Iterator[list[_Portion]]:
        batch: list[_Portion] = []
        n_chars = 0
        for portion in self._portions():
            batch.append(portion)
            n_chars += portion.n_chars
            if n_chars >= BATCH_CHARS:
                yield batch
                batch, n_chars = [], 0
        if batch:
            yield batch

    def _portions(self) -> Iterator[_Portion]:
        for document_id in self._store.unencoded_documents(self._spaces):
            portion = _Portion(document_id, [], [], is_last=False)
            n_chars = 0
            for chunk_id, _, text in self._store.chunk_texts(document_id):
                if n_chars >= PORTION_CHARS:
                    yield portion
                    portion, n_chars = _Portion(document_id, [], [], is_last=False), 0
                portion.chunk_ids.append(chunk_id)
                portion.texts.append(text)
                n_chars += len(text)
            portion.is_last = True
            yield portion

    # --- through the worker, always two batches ahead ---

    def _planned(self, batches: Iterator[list[_Portion]]) -> Iterator[list[_Portion]]:
        """Ask for the plans of a batch before the one in front of it is encoded."""
        ahead: deque[list[_Portion]] = deque()
        for batch in batches:
            for portion in batch:
                portion.plans = self._worker.plan(portion.texts)
            ahead.append(batch)
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead

    def _in_flight(self, batches: Iterator[list[_Portion]]) -> Iterator[_Batch]:
        ahead: deque[_Batch] = deque()
        for portions in batches:
            ahead.append(self._submit(portions))
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead

    def _submit(self, portions: list[_Portion]) -> _Batch:
        batch = _Batch(portions, [], [], None)
        for portion in portions:
            assert portion.plans is not None, "planned before it is submitted"
            plans = portion.plans.result()
            owned = sum(len(plan.chunk_indices) for plan in plans)
            self._count_without_tokens(portion, len(portion.texts) - owned)
            self._sort_out(batch, portion, plans)
        if batch.plans:
            batch.encoded = self._worker.encode([plan for _, plan in batch.plans])
        return batch

    def _count_without_tokens(self, portion: _Portion, n: int) -> None:
        before = self._without_tokens.get(portion.document_id, 0)
        self._without_tokens[portion.document_id] = before + n

    def _sort_out(
        self, batch: _Batch, portion: _Portion, plans: Sequence[WindowPlan]
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
        """Store a batch; return the tokens that it stands for."""
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
            plans = [(p, plan) for p, plan in batch.plans if p is portion]
            reused = [row for row in batch.reused if row[0] is portion]
            windows = [plan for _, plan in plans]
            encoded = self._worker.encode(windows) if windows else None
            yield _Batch([portion], plans, reused, encoded)

    def _give_up(self, portion: _Portion, error: EncoderCrashed) -> None:
        """Leave a document without vectors, unless it is the encoder that is broken."""
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
        n_tokens = sum(plan.n_tokens for _, plan in batch.plans)
        self.encoded_tokens += n_tokens
        self.reused_windows += len(batch.reused)
        return n_tokens + sum(plan.n_tokens for _, plan, _ in batch.reused)

    def _reuse(
        self,
        portion: _Portion,
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


def _chunk_ids(portion: _Portion, plan: WindowPlan) -> tuple[int, ...]:
    return tuple(portion.chunk_ids[index] for index in plan.chunk_indices)
