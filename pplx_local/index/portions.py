"""A document in portions: what is tokenised at once, so that no document is held whole.

Where windows read a chunk's neighbours too, a portion carries chunks before and after
its own as context, and ends where the text says: an edit then moves the borders near it
and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

PORTION_CHARS = 200_000
"""Text of one document that is encoded at once; a longer one comes in portions."""
SHORTEST = 1 / 4
"""Of a portion that ends where the text says. From 1/2 on, borders hardly fall into step
again before a book ends; nothing more is read because of shorter ones."""


class ChunkText(NamedTuple):
    """A chunk as it is read by a model."""

    chunk_id: int
    text: str
    heading: str = ""
    """What stands above it, where the checkpoint reads that too."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Consecutive chunks of one document."""

    document_id: int
    chunks: list[ChunkText]
    owned: range
    """Indices of the chunks that are to be encoded; the others are context."""
    is_last: bool

    @property
    def chunk_ids(self) -> list[int]:
        """Of the chunks, in order."""
        return [chunk.chunk_id for chunk in self.chunks]

    @property
    def texts(self) -> list[str]:
        """Of the chunks, in order."""
        return [chunk.text for chunk in self.chunks]

    @property
    def headings(self) -> list[str] | None:
        """Of the chunks, in order; None where none has any."""
        headings = [chunk.heading for chunk in self.chunks]
        return headings if any(headings) else None

    @property
    def n_chars(self) -> int:
        """Characters that are tokenised, headings not counted."""
        return sum(len(chunk.text) for chunk in self.chunks)


def portions_of(
    document_id: int, chunks: Iterable[ChunkText], context_chars: int | None
) -> Iterator[Portion]:
    """Cut a document; one of at most `PORTION_CHARS` stays whole.

    Args:
        document_id: Its id.
        chunks: In order; taken no faster than portions are.
        context_chars: How much text before and after its own a portion carries where
            there is more. None where each chunk is read by itself: portions then have
            the same length, whatever they hold.

    Yields:
        Portions, the last one marked; at least one.
    """
    held = _Held(document_id, context_chars)
    for chunk in chunks:
        while held.n_chars >= PORTION_CHARS + held.context_chars:
            yield held.take(held.end())
        held.add(chunk)
    while held.n_chars > PORTION_CHARS and (end := held.end()) < len(held.chunks):
        yield held.take(end)
    yield held.take(len(held.chunks), is_last=True)


@dataclass(slots=True)
class _Held:
    """The chunks of a document that the next portion may need."""

    document_id: int
    margin: int | None
    chunks: list[ChunkText] = field(default_factory=list)
    n_before: int = 0
    """The first chunks, which an earlier portion owns."""
    n_chars: int = 0
    """Of the chunks behind them."""

    @property
    def context_chars(self) -> int:
        return self.margin or 0

    def add(self, chunk: ChunkText) -> None:
        self.chunks.append(chunk)
        self.n_chars += len(chunk.text)

    def end(self) -> int:
        """Choose where the next portion ends, as a number of chunks."""
        sizes = [len(chunk.text) for chunk in self.chunks[self.n_before :]]
        ends = np.cumsum(sizes)
        shortest = PORTION_CHARS * (1 if self.margin is None else SHORTEST)
        first = int(np.searchsorted(ends, shortest))
        last = int(np.searchsorted(ends, PORTION_CHARS, "right")) - 1
        candidates = range(self.n_before + first, self.n_before + max(first, last) + 1)
        return 1 + min(candidates, key=self._digest)

    def _digest(self, index: int) -> bytes:
        text = self.chunks[index].text
        return blake2b(text.encode("utf-8", errors="surrogatepass")).digest()

    def take(self, end: int, *, is_last: bool = False) -> Portion:
        """Give the portion that ends before chunk `end`, and go on behind it."""
        sent = self.chunks[: end + self._reach(range(end, len(self.chunks)))]
        portion = Portion(self.document_id, sent, range(self.n_before, end), is_last)
        self.n_chars -= sum(len(one.text) for one in sent[self.n_before : end])
        self.n_before = self._reach(range(end - 1, -1, -1))
        del self.chunks[: end - self.n_before]
        return portion

    def _reach(self, indices: range) -> int:
        """Count the chunks, from the first index on, that fit into the margin."""
        n_chars = np.cumsum([len(self.chunks[index].text) for index in indices])
        return int(np.searchsorted(n_chars, self.context_chars, "right"))
