"""One run: index a collection in a home of its own, ask its queries, count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pplx_local.config import Settings
from pplx_local.evaluate.alone import profile_alone, profile_needed
from pplx_local.evaluate.asking import Asking
from pplx_local.evaluate.closeness import Closeness
from pplx_local.evaluate.collection import Units, load_collection, load_queries
from pplx_local.evaluate.distractors import add_distractors, sources_beside
from pplx_local.evaluate.filling import fill
from pplx_local.evaluate.home import KeptHome
from pplx_local.evaluate.late_chunking import is_contextual, profile_with
from pplx_local.evaluate.options import Options
from pplx_local.evaluate.tokens import TokenTrial, profile_in_full, token_rule
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.models import find_or_refuse, profile_of
from pplx_local.records import Progress


class Evaluation:
    """Iterate for progress; then `result` holds the figures in the documented form."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        options: Options | None = None,
        *,
        worker: WorkerFactory = spawn_worker,
    ) -> None:
        """Prepare.

        Args:
            directory: Of the collection.
            settings: Of the person's home: model, backend, device.
            options: What is measured; None for the usual.
            worker: How encoder workers are made.

        Raises:
            ConfigError: It is no collection, or the model cannot do what is asked.
            ModelError: There is no such model.
        """
        self._options = options = options or Options()
        options.modes()  # refused before anything is indexed
        self._collection = load_collection(directory, options.queries, options.sample)
        self._units: Units = options.units or (
            "given" if self._collection.passages else "own"
        )
        self._foreign = [
            (str(path), text)
            for path in options.unanswerable
            for text in load_queries(path, options.sample).values()
        ]
        self._sources = list(options.distractors_from) or sources_beside(directory)
        self._rules = [token_rule(name) for name in options.tokens]
        profile = profile_with(profile_of(settings), options.late_chunking)
        profile = profile_needed(profile_alone(profile, options.alone), options)
        self._profile = profile_in_full(profile) if self._rules else profile
        for checkpoint in filter(None, self._profile):
            find_or_refuse(checkpoint, settings.home)
        self._home = KeptHome(settings, options.keep, self._holds())
        self._worker = worker
        self.closeness = Closeness()
        """The best hits, when it is over."""
        self.result: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Progress]:
        """Index the collection, and ask all its queries."""
        with (
            self._home.open() as settings,
            Index.open(
                settings, write=True, worker=self._worker, profile=self._profile
            ) as index,
        ):
            yield from self._fill(index)
            trial = TokenTrial(index.store, self._rules)
            try:
                yield from trial.make()
                yield from self._measure(index, trial)
            finally:
                trial.drop()

    def _measure(self, index: Index, trial: TokenTrial) -> Iterator[Progress]:
        asking = Asking(
            index, self._collection, self._units, self._options, trial.spaces
        )
        yield from self._ask(asking)
        self.closeness = asking.closeness
        self._summarise(index, asking)
        if asking.top_10_found:
            self.result["top_10_found"] = {
                leg: {
                    "share": round(float(np.mean(shares)), 4),
                    "queries": round(float(np.mean(np.array(shares) == 1)), 4),
                }
                for leg, shares in asking.top_10_found.items()
            }
        if self._rules:
            self.result["tokens"] = trial.result(self.result["metrics"])

    def _fill(self, index: Index) -> Iterator[Progress]:
        if not self._home.is_filled():
            yield from fill(index, self._collection, self._units)
            if n_chunks := self._options.distractors:
                add_distractors(index.store, self._collection, self._sources, n_chunks)
            self._home.set_filled()
        if any(self._profile):  # else a kept index is left with the vectors it has
            yield from index.encode()

    def _holds(self) -> dict[str, object]:
        """Say what an index is made of that is kept."""
        holds: dict[str, object] = {
            "collection": str(self._collection.docs.parent),
            "units": self._units,
            "distractors": self._options.distractors,
        }
        if self._rules:
            holds["tokens"] = "int8"
        if self._options.alone:
            holds["alone"] = self._options.alone
        if self._options.distractors:
            holds["from"] = [str(source.resolve()) for source in self._sources]
        return holds

    def _ask(self, asking: Asking) -> Iterator[Progress]:
        n_queries = len(asking.queries) + len(self._foreign)
        for number, query in enumerate(asking.queries):
            yield Progress("search", number, n_queries)
            asking.ask(query)
        for number, (file, text) in enumerate(self._foreign, len(asking.queries)):
            yield Progress("search", number, n_queries)
            asking.ask_foreign(file, text)
        yield Progress("search", n_queries, n_queries)

    def _summarise(self, index: Index, asking: Asking) -> None:
        status = index.status()
        self.result = {
            "collection": self._collection.name,
            "units": self._units,
            "documents": status.documents,
            "chunks": status.chunks,
            "queries": len(asking.ms),
            "profile": dict(status.profile),
            "late_chunking": is_contextual(self._profile.dense),
            "metrics": asking.figures.means(),
            "confidence": asking.closeness.result(),
            "latency_ms": {
                "p50": round(float(np.percentile(asking.ms, 50)), 1),
                "p95": round(float(np.percentile(asking.ms, 95)), 1),
            },
            "index_bytes": status.bytes_by_part["database"],
        }
