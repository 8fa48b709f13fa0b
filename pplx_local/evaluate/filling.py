"""A collection into an index: its passages as they are given, or cut by our chunker."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pplx_local.evaluate.collection import Collection, Units
from pplx_local.index import Index
from pplx_local.records import Chunk, Document, FileRecord, Progress, Span, TextBlock
from pplx_local.store import Store


def fill(index: Index, collection: Collection, units: Units) -> Iterator[Progress]:
    """Read a collection's documents; what is cut by our chunker is embedded too.

    Args:
        index: Open for writing, and empty.
        collection: What to read.
        units: "given" makes the given passages the chunks (whole files where there are
            none), "own" uses our chunker.
    """
    index.add_folder(collection.docs)
    if units == "own":
        yield from index.update()
        return
    for path in sorted(filter(Path.is_file, collection.docs.rglob("*"))):
        text = path.read_bytes().decode("utf-8")
        name = collection.name_of(path)
        passages = collection.passages.get(name)
        spans = [p.char_span for p in passages] if passages else [Span(0, len(text))]
        write_given(index.store, path, name, text, spans)


def write_given(
    store: Store, path: Path, digest: str, text: str, char_spans: Sequence[Span]
) -> None:
    """Write a document whose chunks are given, and its file in the first folder.

    Args:
        store: Where to.
        path: Of the file.
        digest: Stands for that of the file's bytes. Which chunks are in the null sample
            hangs on it, so it should not hang on where the collection lies.
        text: Of the file.
        char_spans: Of the chunks.
    """
    chunks = tuple(Chunk(number, span) for number, span in enumerate(char_spans))
    with store.write_document(digest, "given") as writer:
        writer.add(TextBlock(0, text, chunks))
        writer.finish(Document("given", 1, _title(text), None, len(text), ()))
    folder_id = store.folders()[0].folder_id
    store.put_file(_file(path, digest, folder_id, writer.document_id))


def _title(text: str) -> str | None:
    """Take the title where the collection marks it, as our reader would."""
    first = text.partition("\n")[0]
    return first[2:].strip() if first.startswith("# ") else None


def _file(path: Path, digest: str, folder_id: int, document_id: int) -> FileRecord:
    status = path.stat()
    return FileRecord(
        path=os.fsencode(path.resolve()),
        folder_id=folder_id,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        digest=digest,
        state="indexed",
        reason=None,
        document_id=document_id,
    )
