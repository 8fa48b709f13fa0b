"""From a path and a line to chunks."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.errors import FolderError
from pplx_local.index.extract import document_at
from pplx_local.records import Span
from pplx_local.store import Store


def passages_at(
    store: Store, path: Path, line: int | None, settings: Settings
) -> range:
    """Find the chunk that a line of a file begins in, or all chunks for no line.

    Raises:
        FolderError: The file has no text in the index, or no such line.
    """
    document_id = document_at(store, path, settings)
    chunks = store.chunks_of(document_id)
    if line is None:
        return chunks
    _, n_chars = store.title_and_length(document_id)
    last = max(n_chars - 1, 0)  # it may end a line
    n_lines = store.line_of(document_id, last)
    if not 1 <= line <= n_lines:
        raise FolderError(
            f"{path} has no line {line:,}; its last one is {n_lines:,}. Name one of its "
            "lines, or the file alone for all of it."
        )
    begun = _LinesBegun(store, document_id, chunks)
    number = max(bisect_right(begun, line) - 1, 0)
    return chunks[number : number + 1]


class _LinesBegun:
    """The first line that begins in or after each chunk, as something to bisect."""

    def __init__(self, store: Store, document_id: int, chunks: range) -> None:
        self._store, self._document_id = store, document_id
        self._chunks = chunks

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, number: int) -> int:
        [ref] = self._store.chunk_refs([self._chunks[number]])
        start = ref.char_span.start
        before = self._store.text(self._document_id, Span(start - 1, start))
        line = self._store.line_of(self._document_id, start)
        return line if before in ("", "\n") else line + 1
