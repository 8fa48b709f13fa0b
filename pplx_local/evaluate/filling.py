"""A collection into an index: its passages as they are given, or cut by our chunker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pplx_local.evaluate.collection import Collection, Units
from pplx_local.index import Index
from pplx_local.records import Chunk, Document, FileRecord, Progress, Span, TextBlock
from pplx_local.store import Store


def fill(index: Index, collection: Collection, units: Units) -> Iterator[Progress]:
    """Read and embed a collection's documents.

    Args:
        index: Open for writing, and empty.
        collection: What to read.
        units: "given" makes the given passages the chunks (whole files where there are
            none), "own" uses our chunker.
    """
    folder = index.add_folder(collection.docs)
    if units == "own":
        yield from index.update()
        return
    for path in sorted(collection.docs.iterdir()):
        document_id = _write_given(index.store, collection, path)
        index.store.put_file(given_file(path, folder.folder_id, document_id))
    yield from index.encode()


def _write_given(store: Store, collection: Collection, path: Path) -> int:
    text = path.read_bytes().decode("utf-8")
    passages = collection.passages.get(path.name)
    spans = [p.char_span for p in passages] if passages else [Span(0, len(text))]
    chunks = tuple(Chunk(number, span) for number, span in enumerate(spans))
    with store.write_document(path.name, "given") as writer:
        writer.add(TextBlock(0, text, chunks))
        writer.finish(Document("given", 1, None, None, len(text), ()))
    return writer.document_id


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
