"""Whole searches among made-up chunks, from the query's vectors on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pplx_local.bench.prose import Prose
from pplx_local.bench.result import BenchRow
from pplx_local.bench.timing import percentiles
from pplx_local.config import Settings
from pplx_local.encoding import EncodedQuery, EncoderWorker
from pplx_local.index import WorkerFactory
from pplx_local.index.scratch import scratch_settings
from pplx_local.models import Checkpoint, find, profile_of, space_spec
from pplx_local.records import (
    Chunk,
    DenseVectors,
    Document,
    FileRecord,
    Role,
    Scores,
    SpaceSpec,
    Span,
    TextBlock,
    TokenVectors,
)
from pplx_local.search import Searcher, SearchSpace
from pplx_local.store import Space, Store

_QUERIES = 40
_QUERY_WORDS = 8
_CHUNK_WORDS = 180
_CHUNK_TOKENS = 110
"""Token vectors of so many words, where each stands for two tokens."""
_FILE_CHUNKS = 10
_FILES_AT_ONCE = 200
_FOLDER = b"/made-up"
_SEED = 22


_Used = tuple[Role, Checkpoint, Path]
"""A role, its checkpoint, and where that lies."""


@dataclass(slots=True)
class _Noting:
    """A worker, and when it had encoded the last query."""

    worker: EncoderWorker
    encoded_at: float = 0.0

    def encode_query(self, text: str) -> Future[EncodedQuery]:
        noted: Future[EncodedQuery] = Future()

        def note(encoded: Future[EncodedQuery]) -> None:
            self.encoded_at = time.perf_counter()
            if error := encoded.exception():
                noted.set_exception(error)
            else:
                noted.set_result(encoded.result())

        self.worker.encode_query(text).add_done_callback(note)
        return noted

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Future[Scores]:
        return self.worker.maxsim(query, docs, want_matches=want_matches)

    def token_spans(self, texts: Sequence[str]) -> Future[list[list[Span]]]:
        return self.worker.token_spans(texts)


def whole_rows(
    settings: Settings, n_chunks: int, worker: WorkerFactory
) -> list[BenchRow]:
    """Time searches by all legs of the profile; none where it is not on this computer."""
    used = list(_checkpoints(settings))
    if not used:
        return []
    with ExitStack() as stack:
        database = stack.enter_context(scratch_settings(settings)).home / "index.db"
        prose = Prose(_SEED)
        with Store.open(database) as store:
            spaces = {one[0]: _space(store, *one) for one in used}
            _fill(store, list(spaces.values()), prose, n_chunks)
        workers = {
            one.name: stack.enter_context(worker(one, place, settings))
            for _, one, place in used
        }
        store = stack.enter_context(Store.open(database, readonly=True))
        queries = prose.texts(_QUERIES + 1, _QUERY_WORDS)
        ms = _times(store, spaces, used, workers, queries)
    return percentiles("hybrid once encoded", f"{n_chunks:,} made-up chunks", ms)


def _times(
    store: Store,
    spaces: Mapping[Role, Space],
    used: Sequence[_Used],
    workers: Mapping[str, EncoderWorker],
    queries: Sequence[str],
) -> list[float]:
    """Give the milliseconds of each search but the first, which warms up."""
    encoders = {name: _Noting(one) for name, one in workers.items()}
    legs = {
        role: SearchSpace.of(spaces[role], encoders[one.name], one)
        for role, one, _ in used
    }
    searcher = Searcher(store, legs, fusion=used[-1][1].fusion)

    def once_encoded(query: str) -> float:
        searcher.search(query, folded=True)
        return time.perf_counter() - max(one.encoded_at for one in encoders.values())

    return [1000 * once_encoded(query) for query in queries][1:]


def _checkpoints(settings: Settings) -> Iterator[_Used]:
    """Give those of the profile that are here, the late one last: its weights count."""
    profile = profile_of(settings)
    roles: tuple[tuple[Role, Checkpoint | None], ...] = (
        ("dense", profile.dense),
        ("late", profile.late),
    )
    for role, checkpoint in roles:
        place = find(checkpoint, settings.home) if checkpoint else None
        if checkpoint and place:
            yield role, checkpoint, place


def _space(store: Store, role: Role, checkpoint: Checkpoint, place: Path) -> Space:
    space = store.open_space(space_spec(checkpoint, role, place))
    assert space is not None, "it is made where there is none"
    return space


def _fill(store: Store, spaces: list[Space], prose: Prose, n_chunks: int) -> None:
    random = np.random.default_rng(_SEED)
    store.add_folder(_FOLDER, 1, 1)
    n_files = -(-n_chunks // _FILE_CHUNKS)
    for first in range(0, n_files, _FILES_AT_ONCE):
        with store.transaction():
            for number in range(first, min(first + _FILES_AT_ONCE, n_files)):
                n = min(_FILE_CHUNKS, n_chunks - number * _FILE_CHUNKS)
                chunk_ids = _write_file(store, number, prose.texts(n, _CHUNK_WORDS))
                for space in spaces:
                    vectors = _vectors(random, space.spec, n)
                    digest = number.to_bytes(16, "big")
                    store.write_vectors(space, digest, chunk_ids, vectors)
    store.settle_documents(1)


def _write_file(store: Store, number: int, texts: list[str]) -> range:
    text = "\n".join(texts)
    ends = np.cumsum([len(one) + 1 for one in texts]).tolist()
    chunks = tuple(
        Chunk(ordinal, Span(end - len(one) - 1, end - 1))
        for ordinal, (one, end) in enumerate(zip(texts, ends, strict=True))
    )
    digest = str(number)
    with store.write_document(digest, "made up") as writer:
        writer.add(TextBlock(0, text, chunks))
        writer.finish(Document("text", 1, None, None, len(text), ()))
    path = b"%b/%d.txt" % (_FOLDER, number)
    folder_id, document_id = store.folders()[0].folder_id, writer.document_id
    store.put_file(
        FileRecord(path, folder_id, 1, 1, 1, 1, digest, "indexed", None, document_id)
    )
    return store.chunks_of(document_id)


def _vectors(
    random: np.random.Generator, spec: SpaceSpec, n: int
) -> DenseVectors | TokenVectors:
    """Make up the vectors of n chunks, of the shapes of a space."""
    if spec.role == "dense":
        codes = random.integers(-127, 128, (n, spec.dim), dtype=np.int8)
        bits = random.integers(0, 256, (n, spec.n_bits // 8), dtype=np.uint8)
        return DenseVectors(codes, bits)
    ends = np.arange(n + 1, dtype=np.int32) * _CHUNK_TOKENS
    positions = np.tile(np.arange(_CHUNK_TOKENS, dtype=np.int32) * 2, n)
    if spec.token_encoding == "bits":
        packed = random.integers(0, 256, (ends[-1], spec.n_bits // 8), dtype=np.uint8)
        return TokenVectors("bits", packed, None, positions, ends)
    levels = random.integers(-127, 128, (ends[-1], spec.dim), dtype=np.int8)
    scales = np.full(ends[-1], 1 / 127, dtype=np.float32)
    return TokenVectors("int8", levels, scales, positions, ends)
