"""Which targets a query has, and which of them a chunk stands for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pplx_local.evaluate.collection import Collection, Units
from pplx_local.evaluate.metrics import relevant
from pplx_local.records import Span
from pplx_local.store import ChunkRef, Store


class Judging:
    """A collection's judgments of one kind: of passages, or of whole files."""

    def __init__(self, collection: Collection, units: Units, store: Store) -> None:
        """Judge passages where they are the chunks, else files by their best chunk."""
        self._collection, self._store = collection, store
        self._by_passage = units == "given" and bool(collection.passages)
        self._names: dict[int, str] = {}

    def queries(self) -> dict[str, Mapping[str, float]]:
        """Give grades by query, of those with at least one relevant target."""
        collection = self._collection
        qrels = (
            collection.passage_qrels if self._by_passage else collection.document_qrels
        )
        return {
            query: qrels[query]
            for query in collection.queries
            if relevant(qrels.get(query, {}))
        }

    def name(self, ref: ChunkRef) -> str:
        """Name the file that a chunk lies in: as in `docs/`, or by its whole path."""
        if ref.document_id not in self._names:
            first = self._store.paths_of(ref.document_id)[0]
            path = Path(os.fsdecode(first))
            self._names[ref.document_id] = self._collection.name_of(path)
        return self._names[ref.document_id]

    def target(self, ref: ChunkRef) -> str:
        """Name what a chunk stands for: a passage, or its file."""
        name = self.name(ref)
        passages = self._collection.passages.get(name)
        if self._by_passage and passages:
            return passages[ref.ordinal].passage_id
        return name

    def right(
        self, refs: Sequence[ChunkRef], query: str, grades: Mapping[str, float]
    ) -> list[bool]:
        """Tell which chunks answer a query, of which `queries` gave the grades.

        Where our own chunks are compared with judged passages, those do that hold a
        part of one.
        """
        if not self._by_passage and self._collection.passage_qrels.get(query):
            wanted = relevant(self._collection.passage_qrels[query])
            return [self._holds_part(ref, wanted) for ref in refs]
        wanted = relevant(grades)
        return [self.target(ref) in wanted for ref in refs]

    def _holds_part(self, ref: ChunkRef, wanted: set[str]) -> bool:
        return any(
            overlap(passage.char_span, ref.char_span)
            for passage in self._collection.passages.get(self.name(ref), ())
            if passage.passage_id in wanted
        )


def overlap(a: Span, b: Span) -> int:
    """Count what two spans share."""
    return max(0, min(a.end, b.end) - max(a.start, b.start))
