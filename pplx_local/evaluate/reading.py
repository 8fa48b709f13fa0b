"""What a person reads of our own chunks, beside the passages that were judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set

import regex

from pplx_local.evaluate.collection import Collection
from pplx_local.evaluate.judging import Judging, overlap
from pplx_local.records import Span
from pplx_local.store import ChunkRef, Store

READ_TOKENS = 1_000
"""How much a reader takes in: words and marks of the first hits."""

_TOKEN = regex.compile(r"\w+|[^\w\s]")


def share_read(
    store: Store,
    collection: Collection,
    judging: Judging,
    refs: Sequence[ChunkRef],
    relevant: Set[str],
) -> float:
    """Compute the share of relevant passages of which at least half is read.

    Args:
        store: Where the texts are.
        collection: Says where the passages lie.
        judging: Knows the files of chunks.
        refs: The hits, the best first.
        relevant: Passages; nan for none.
    """
    if not relevant:
        return float("nan")
    covered: dict[str, int] = defaultdict(int)
    for ref, read in _spans_read(store, refs):
        for passage in collection.passages.get(judging.name(ref), ()):
            covered[passage.passage_id] += overlap(passage.char_span, read)
    half = [p for p in relevant if covered[p] * 2 >= collection.lengths[p]]
    return len(half) / len(relevant)


def _spans_read(
    store: Store, refs: Sequence[ChunkRef]
) -> Iterator[tuple[ChunkRef, Span]]:
    """Yield hits with the part of each that the reader gets to."""
    room = READ_TOKENS
    for ref in refs:
        text = store.text(ref.document_id, ref.char_span)
        ends = [match.end() for match in _TOKEN.finditer(text)][:room]
        start = ref.char_span.start
        yield ref, Span(start, start + (ends[-1] if ends else 0))
        room -= len(ends)
        if room <= 0:
            return
