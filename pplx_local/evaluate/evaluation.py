"""One run: index a collection in a temporary home, ask its queries, count."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pplx_local.config import Settings
from pplx_local.errors import ConfigError
from pplx_local.evaluate.collection import Units, load_collection
from pplx_local.evaluate.filling import fill
from pplx_local.evaluate.judging import Judging
from pplx_local.evaluate.late_chunking import is_contextual, profile_with
from pplx_local.evaluate.metrics import judge, relevant
from pplx_local.evaluate.reading import READ_TOKENS, share_read
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.index.scratch import scratch_settings
from pplx_local.models import find_or_refuse, profile_of
from pplx_local.records import Mode, Progress
from pplx_local.search import Ranking, Searcher, best_first
from pplx_local.store import ChunkRef, Store

MODES: tuple[Mode, ...] = ("lexical", "dense", "late", "hybrid")
DEPTH = 300
"""Chunks that each leg brings, so that 100 documents of a few chunks are among them."""


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
        self._settings, self._worker, self._ablate = settings, worker, ablate
        self._units: Units = units or ("given" if self._collection.passages else "own")
        self._judging = Judging(self._collection, self._units)
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
            yield from fill(index, self._collection, self._units)
            yield from self._ask(index)
            self._summarise(index)

    # --- asking ---

    def _ask(self, index: Index) -> Iterator[Progress]:
        searcher = index.searcher()
        judged = self._judging.queries()
        for number, (query, grades) in enumerate(judged.items()):
            yield Progress("search", number, len(judged))
            started = time.perf_counter()
            ranking = searcher.rank(self._collection.queries[query], k=DEPTH)
            self._ms.append((time.perf_counter() - started) * 1000)
            self._judge(index.store, searcher, ranking, query, grades)
        yield Progress("search", len(judged), len(judged))

    def _judge(
        self,
        store: Store,
        searcher: Searcher,
        ranking: Ranking,
        query: str,
        grades: Mapping[str, float],
    ) -> None:
        refs = store.chunk_refs([int(chunk_id) for chunk_id in ranking.ids])
        targets = [self._judging.target(store, ref) for ref in refs]
        for name, scores in self._score_sets(searcher, ranking):
            order = best_first(ranking.ids, scores)
            ranked = list(dict.fromkeys(targets[index] for index in order))
            self._note(name, judge(ranked, grades))
            if self._units == "own" and self._collection.passages:
                found = [refs[index] for index in order[:DEPTH]]
                self._note(name, self._reading(store, found, query))

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
        wanted = relevant(self._collection.passage_qrels.get(query, {}))
        share = share_read(store, self._collection, refs, wanted)
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
