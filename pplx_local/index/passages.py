"""From a path and a line to chunks."""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path

from pplx_local.errors import FolderError
from pplx_local.index.paths import absolute, followed
from pplx_local.index.verdict import what_became
from pplx_local.records import Span
from pplx_local.store import Store


def passages_at(store: Store, path: Path, line: int | None) -> range:
    """Find the chunk that a line of a file begins in, or all chunks for no line.

    Raises:
        FolderError: The file has no text in the index, or no such line.
    """
    document_id = _document_at(store, path)
    chunks = store.chunks_of(document_id)
    if line is None:
        return chunks
    last = max(store.document_meta(document_id).n_chars - 1, 0)  # it may end a line
    n_lines = store.line_of(document_id, last)
    if not 1 <= line <= n_lines:
        raise FolderError(
            f"{path} has no line {line:,}; its last one is {n_lines:,}. Name one of its "
            "lines, or the file alone for all of it."
        )
    begun = _LinesBegun(store, document_id, chunks)
    number = max(bisect_right(begun, line) - 1, 0)
    return chunks[number : number + 1]


def _document_at(store: Store, path: Path) -> int:
    """Find the document of a file, also where a link leads to it."""
    if path.is_dir():
        raise FolderError(f"{path} is a folder. Name a file in it.")
    for one in (absolute(path), followed(absolute(path))):
        file = store.file(os.fsencode(one))
        if file and file.document_id and store.is_visible(file.document_id):
            return file.document_id
    raise FolderError(_why_no_text(path, store))


def _why_no_text(path: Path, store: Store) -> str:
    found = followed(absolute(path))
    record = store.file(os.fsencode(found))
    if record is None:
        return f"There is no text of {path} in the index: {what_became(found, store)}"
    if record.state in ("empty", "no_text"):
        said = f"There is no text in {path}"
    else:
        said = f"{path} is not in the index ({record.state})"
    why = "" if record.reason in (None, record.state) else f": {record.reason}"
    return f"{said}{why}. Name a file that pplx-local files lists as indexed."


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
