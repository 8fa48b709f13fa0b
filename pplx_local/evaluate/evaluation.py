"""One run: index a collection in a temporary home, ask its queries, count."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import regex

from pplx_local.config import Settings
from pplx_local.errors import ConfigError
from pplx_local.evaluate.collection import load_collection
from pplx_local.evaluate.late_chunking import is_contextual, profile_with
from pplx_local.evaluate.metrics import judge
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.index.scratch import scratch_settings
from pplx_local.models import find_or_refuse, profile_of
from pplx_local.records import (
    Chunk,
    Document,
    FileRecord,
    Mode,
    Progress,
    Span,
    TextBlock,
)
from pplx_local.search import Ranking, Searcher, best_first
from pplx_local.store import ChunkRef, Store

Units = Literal["given", "own"]
MODES: tuple[Mode, ...] = ("lexical", "dense", "late", "hybrid")
DEPTH = 300
"""Chunks that each leg brings, so that 100 documents of a few chunks are among them."""
READ_TOKENS = 1_000
"""How much a reader takes in: words and marks of the first hits."""

_TOKEN = regex.compile(r"\w+|[^\w\s]")


class Evaluation:
    """Iterate for progress; then `result` holds the figures in the documented form."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        *,
        units: Units | None = None,
        legs: Sequence[str] | None = None,
        ablate: bool = False,
        late_chunking: bool | None = None,
        worker: WorkerFactory = spawn_worker,
    ) -> None:
        """Prepare.

        Args:
            directory: Of the collection.
            settings: Of the person's home: model, backend, device.
            units: "given" makes the given passages the chunks (whole files where there
                are none), "own" uses our chunker; None for given where passages are.
            legs: Modes to report; None for all.
            ablate: Also report the fusion without each of its legs.
            late_chunking: Whether a document's chunks are read together, which only
                checkpoints trained for it can do; None for yes where one is in use.
            worker: How encoder workers are made.

        Raises:
            ConfigError: It is no collection, or the model cannot do what is asked.
            ModelError: There is no such model.
        """
        self._collection = load_collection(directory)
        self._lengths = {
            passage.passage_id: passage.char_span.end - passage.char_span.start
            for passages in self._collection.passages.values()
            for passage in passages
        }
        self._settings, self._worker, self._ablate = settings, worker, ablate
        self._units: Units = units or ("given" if self._collection.passages else "own")
        self._modes = [mode for mode in MODES if legs is None or mode in legs]
        if legs and set(legs) - set(MODES):
            raise ConfigError(f"Legs are {', '.join(MODES)}; not {', '.join(legs)}.")
        self._profile = profile_with(profile_of(settings), late_chunking)
        for checkpoint in filter(None, self._profile):
            find_or_refuse(checkpoint, settings.home)
        self._figures: dict[str, dict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._ms: list[float] = []
        self.result: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Progress]:
        """Index the collection in a temporary home and ask all its queries."""
        with (
            scratch_settings(self._settings) as scratch,
            Index.open(
                scratch, write=True, worker=self._worker, profile=self._profile
            ) as index,
        ):
            yield from self._fill(index)
            yield from self._ask(index)
            self._summarise(index)

    # --- indexing ---

    def _fill(self, index: Index) -> Iterator[Progress]:
        folder = index.add_folder(self._collection.docs)
        if self._units == "own":
            yield from index.update()
            return
        store = index.store
        for path in sorted(self._collection.docs.iterdir()):
            document_id = self._write_given(store, path)
            store.put_file(given_file(path, folder.folder_id, document_id))
        yield from index.encode()

    def _write_given(self, store: Store, path: Path) -> int:
        text = path.read_bytes().decode("utf-8")
        passages = self._collection.passages.get(path.name)
        spans = [p.char_span for p in passages] if passages else [Span(0, len(text))]
        chunks = tuple(Chunk(number, span) for number, span in enumerate(spans))
        with store.write_document(path.name, "given") as writer:
            writer.add(TextBlock(0, text, chunks))
            writer.finish(Document("given", 1, None, None, len(text), ()))
        return writer.document_id

    # --- asking ---

    def _ask(self, index: Index) -> Iterator[Progress]:
        searcher = index.searcher()
        judged = self._judged()
        for number, (query, relevant) in enumerate(judged.items()):
            yield Progress("search", number, len(judged))
            started = time.perf_counter()
            ranking = searcher.rank(self._collection.queries[query], k=DEPTH)
            self._ms.append((time.perf_counter() - started) * 1000)
            self._judge(index.store, searcher, ranking, query, relevant)
        yield Progress("search", len(judged), len(judged))

    def _judged(self) -> dict[str, Mapping[str, float]]:
        """Queries with at least one relevant target in the collection."""
        by_passage = self._units == "given" and bool(self._collection.passages)
        qrels = (
            self._collection.passage_qrels
            if by_passage
            else self._collection.document_qrels
        )
        return {
            query: qrels[query]
            for query in self._collection.queries
            if any(grade > 0 for grade in qrels.get(query, {}).values())
        }

    def _judge(
        self,
        store: Store,
        searcher: Searcher,
        ranking: Ranking,
        query: str,
        relevant: Mapping[str, float],
    ) -> None:
        refs = store.chunk_refs([int(chunk_id) for chunk_id in ranking.ids])
        targets = [self._target(store, ref) for ref in refs]
        for name, scores in self._score_sets(searcher, ranking):
            order = best_first(ranking.ids, scores)
            ranked = list(dict.fromkeys(targets[index] for index in order))
            self._note(name, judge(ranked, relevant))
            if self._units == "own" and self._collection.passages:
                found = [refs[index] for index in order[:DEPTH]]
                self._note(name, self._reading(store, found, query))

    def _target(self, store: Store, ref: ChunkRef) -> str:
        name = Path(os.fsdecode(store.paths_of(ref.document_id)[0])).name
        passages = self._collection.passages.get(name)
        if self._units == "given" and passages:
            return passages[ref.ordinal].passage_id
        return name

    def _score_sets(
        self, searcher: Searcher, ranking: Ranking
    ) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.float32]]]]:
        weights = searcher.weights
        for mode in self._modes:
            if mode == "hybrid" or mode in ranking.raw:
                yield mode, ranking.scores(mode, weights)
        for leg in ranking.raw if self._ablate and len(ranking.raw) > 1 else ():
            rest = {other: weights[other] for other in weights if other != leg}
            yield f"hybrid without {leg}", ranking.scores("hybrid", rest)

    def _note(self, name: str, figures: Mapping[str, float]) -> None:
        for metric, value in figures.items():
            self._figures[name][metric].append(value)

    def _reading(
        self, store: Store, refs: Sequence[ChunkRef], query: str
    ) -> dict[str, float]:
        """Share of relevant passages that are at least half read in the first hits."""
        relevant = {
            passage_id
            for passage_id, grade in self._collection.passage_qrels.get(
                query, {}
            ).items()
            if grade > 0
        }
        covered: dict[str, int] = defaultdict(int)
        room = READ_TOKENS
        for ref in refs:
            text = store.text(ref.document_id, ref.char_span)
            ends = [match.end() for match in _TOKEN.finditer(text)][:room]
            read = Span(
                ref.char_span.start, ref.char_span.start + (ends[-1] if ends else 0)
            )
            name = self._target(store, ref)
            for passage in self._collection.passages.get(name, ()):
                covered[passage.passage_id] += _overlap(passage.char_span, read)
            room -= len(ends)
            if room <= 0:
                break
        half = [p for p in relevant if covered[p] * 2 >= self._lengths[p]]
        share = len(half) / len(relevant) if relevant else float("nan")
        return {f"passages_in_{READ_TOKENS}_tokens": share}

    # --- the result ---

    def _summarise(self, index: Index) -> None:
        status = index.status()
        self.result = {
            "collection": self._collection.name,
            "units": self._units,
            "documents": status.documents,
            "chunks": status.chunks,
            "queries": len(self._ms),
            "profile": dict(status.profile),
            "late_chunking": is_contextual(self._profile.dense),
            "metrics": {
                name: {
                    metric: round(float(np.nanmean(values)), 4)
                    for metric, values in figures.items()
                }
                for name, figures in self._figures.items()
            },
            "latency_ms": {
                "p50": round(float(np.percentile(self._ms, 50)), 1),
                "p95": round(float(np.percentile(self._ms, 95)), 1),
            },
            "index_bytes": status.bytes_by_part["database"],
        }


def _overlap(a: Span, b: Span) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))


def given_file(path: Path, folder_id: int, document_id: int) -> FileRecord:
    """Make the record of a file whose document was written directly."""
    status = path.stat()
    return FileRecord(
        path=os.fsencode(path.resolve()),
        folder_id=folder_id,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        digest=path.name,
        state="indexed",
        reason=None,
        document_id=document_id,
    )
