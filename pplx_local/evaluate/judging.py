"""Which targets a query has, and which of them a chunk stands for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pplx_local.evaluate.collection import Collection, Units
from pplx_local.evaluate.metrics import relevant
from pplx_local.store import ChunkRef, Store


class Judging:
    """A collection's judgments of one kind: of passages, or of whole files."""

    def __init__(self, collection: Collection, units: Units) -> None:
        """Judge passages where they are the chunks, else files by their best chunk."""
        self._collection = collection
        self._by_passage = units == "given" and bool(collection.passages)

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

    def target(self, store: Store, ref: ChunkRef) -> str:
        """Name what a chunk stands for: a passage, or its file."""
        name = name_of(store, ref)
        passages = self._collection.passages.get(name)
        if self._by_passage and passages:
            return passages[ref.ordinal].passage_id
        return name


def name_of(store: Store, ref: ChunkRef) -> str:
    """Name the file that a chunk lies in."""
    return Path(os.fsdecode(store.paths_of(ref.document_id)[0])).name
