"""From filters, phrases and exclusions to the chunks that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from pplx_local.store.conditions import DAY_NS, Condition, conditions, joined
from pplx_local.store.connection import Database, Row, ids_array
from pplx_local.store.documents import Documents
from pplx_local.store.filters import Filters
from pplx_local.store.phrases import Phrases
from pplx_local.store.selection import Ids, Mask, Selection

BROAD = 1 / 8
"""A selection of a larger share of the chunks is not listed: what a leg finds is
tested."""

_GROWTH = 3
"""Times the documents seen that are looked at next, where a selection leaves few: all
are sorted for each look."""
_MOST_LOOKED_AT = 5_000
"""Documents at once: one may have thousands of chunks, and each of them is tested."""

_NONE: Ids = np.empty(0, dtype=np.int64)


class Selections:
    """Makes selections."""

    def __init__(
        self, database: Database, documents: Documents, phrases: Phrases
    ) -> None:
        self._database, self._documents = database, documents
        self._phrases = phrases

    def select(self, filters: Filters) -> Selection:
        """Find out what filters leave."""
        with self._database.snapshot():
            asked = conditions(filters, self._database)
            excluded = self._excluded(filters)
            if filters.phrases:
                held = self._with_phrases(filters.phrases)
                return _listed(held[self._fits(held, asked, excluded)])

            def test(chunk_ids: Ids) -> Mask:
                return self._fits(chunk_ids, asked, excluded)

            sample = self._documents.null_sample()
            share = float(test(sample).mean()) if len(sample) else 0.0
            if share >= BROAD:
                return Selection(None, test, share)
            return _listed(_without(self._list(asked, sample), excluded))

    def allows(self, filters: Filters, path: bytes) -> bool:
        """Tell whether a file is among those that filters ask for."""
        sql, bindings = joined(conditions(filters, self._database))
        found = self._database.value(
            f"SELECT 1 FROM files f JOIN documents d USING (document_id)"
            f" WHERE f.path = ? AND {sql}",
            [path, *bindings],
        )
        return found is not None

    def newest(self, filters: Filters, selection: Selection, limit: int) -> Ids:
        """Give the first chunk of each document that is left, the newest document first.

        Documents of one day are in the order of their paths.

        Args:
            filters: What was asked for.
            selection: What they leave.
            limit: How many documents at the most.
        """
        found, n_found, n_seen = [_NONE], 0, 0
        with self._database.snapshot():
            while n_found < limit and (runs := self._runs(filters, n_seen, limit)):
                n_seen += len(runs)
                found.append(_firsts(selection, np.array(runs)))
                n_found += len(found[-1])
        return np.concatenate(found)[:limit]

    def _runs(self, filters: Filters, n_seen: int, limit: int) -> list[Row]:
        """Read where the chunks lie of the documents that come after those seen."""
        sql, bindings = joined(conditions(filters, self._database))
        n_next = max(limit, min(_GROWTH * n_seen, _MOST_LOOKED_AT))
        return self._database.rows(
            "SELECT first_chunk, n_chunks FROM files f JOIN documents d"
            f" USING (document_id) WHERE {sql} AND n_chunks > 0 GROUP BY document_id"
            f" ORDER BY max({DAY_NS}) DESC, min(f.path) LIMIT ? OFFSET ?",
            [*bindings, n_next, n_seen],
        )

    def _excluded(self, filters: Filters) -> Ids:
        """List the chunks that hold what they should not, sorted."""
        found = [self._phrases.with_word(word) for word in filters.without]
        found += [self._phrases.holding(phrase) for phrase in filters.without_phrases]
        return reduce(np.union1d, found, _NONE)

    def _with_phrases(self, phrases: Sequence[str]) -> Ids:
        """List the chunks that hold one of the phrases, in documents that hold all."""
        found = [self._phrases.holding(phrase) for phrase in phrases]
        held: Ids = reduce(np.union1d, found, _NONE)
        if len(found) == 1:
            return held
        documents = self._documents.of_chunks(held)
        in_all = reduce(
            np.intersect1d, (documents[among(held, each)] for each in found)
        )
        return held[np.isin(documents, in_all)]

    def _fits(self, chunk_ids: Ids, asked: Sequence[Condition], excluded: Ids) -> Mask:
        fits = ~among(chunk_ids, excluded)
        if asked and fits.any():
            fits[fits] = among(chunk_ids[fits], self._asked_for(chunk_ids[fits], asked))
        return fits

    def _asked_for(self, chunk_ids: Ids, asked: Sequence[Condition]) -> Ids:
        sql, bindings = joined(asked)
        rows = self._database.rows(
            "SELECT chunk_id FROM chunks c CROSS JOIN documents d USING (document_id)"
            " WHERE chunk_id IN carray(?) AND EXISTS"
            f" (SELECT 1 FROM files f WHERE f.document_id = d.document_id AND {sql})",
            [ids_array(chunk_ids), *bindings],
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _list(self, asked: Sequence[Condition], sample: Ids) -> Ids:
        """List the chunks of all documents that fit, starting from the narrowest way."""
        narrowest = min(
            asked, key=lambda one: len(self._asked_for(sample, [one])), default=None
        )
        sql, bindings = joined(asked, narrowest)
        # One long text is read ten times as fast as many rows.
        runs: str | None = self._database.value(
            "SELECT group_concat(first_chunk || ' ' || n_chunks, ' ') FROM ("
            "SELECT DISTINCT d.document_id, first_chunk, n_chunks"
            f" FROM files f JOIN documents d USING (document_id) WHERE {sql})",
            bindings,
        )
        return _expanded(np.fromstring(runs or "", dtype=np.int64, sep=" "))


def _listed(ids: Ids) -> Selection:
    return Selection(ids, lambda chunk_ids: among(chunk_ids, ids))


def among(chunk_ids: Ids, some: Ids) -> Mask:
    """Tell which ids (N,) are among some others, which may be unsorted: (N,)."""
    return np.isin(chunk_ids, some)


def _without(ids: Ids, excluded: Ids) -> Ids:
    return ids[~among(ids, excluded)] if len(excluded) else ids


def _expanded(runs: Ids) -> Ids:
    """From (first id, how many) pairs, one after the other, to sorted ids."""
    firsts, counts = runs[0::2], runs[1::2]
    ends = np.cumsum(counts)
    offsets = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    return np.sort(np.repeat(firsts, counts) + offsets)


def _firsts(selection: Selection, runs: Ids) -> Ids:
    """Give the first chunk that a selection holds of each document of which it holds any.

    Args:
        selection: Chunks.
        runs: (D, 2) First chunk and number of chunks of each document, in any order.
    """
    firsts, counts = runs.T
    every = _expanded(runs.ravel())
    held = np.append(every[selection.holds(every)], np.iinfo(np.int64).max)
    found = held[np.searchsorted(held, firsts)]
    return found[found < firsts + counts]
