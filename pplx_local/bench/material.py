"""What a bench works on: a person's folder, or prose that every Python brings."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.documents import Reader
from pplx_local.errors import DocumentError, FolderError, ModelError
from pplx_local.index import Index
from pplx_local.models import Checkpoint, Profile, find_or_refuse
from pplx_local.watch import Found, walk

_ENOUGH_CHARS = 2_000_000
_QUERY_WORDS = 6


def checkpoints_of(profile: Profile, settings: Settings) -> dict[Checkpoint, Path]:
    """Give the checkpoints of a profile, the dense one first, and where they lie.

    Raises:
        ModelError: One of them is not on this computer, or there are none.
    """
    found = {
        checkpoint: find_or_refuse(checkpoint, settings.home)
        for checkpoint in filter(None, profile)
    }
    if not found:
        raise ModelError("There is no model to measure. See: pplx-local doctor")
    return found


@contextmanager
def documents_folder(folder: Path | None) -> Iterator[Path]:
    """Give the person's folder, or one with the prose of Python's own manual."""
    if folder is not None:
        if not folder.is_dir():
            raise FolderError(f"There is no folder at {folder}.")
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="pplx-local-bench-") as made:
        for name, text in _manual().items():
            Path(made, f"{name.replace('/', '-')}.txt").write_text(text, "utf-8")
        yield Path(made).resolve()


def _manual() -> dict[str, str]:
    try:
        topics = import_module("pydoc_data.topics")
    except ImportError as error:
        raise FolderError(
            "This Python comes without its manual. Name a folder: --folder DIR"
        ) from error
    prose: dict[str, str] = topics.topics
    return prose


def chunk_texts(folder: Path, settings: Settings) -> list[list[str]]:
    """Read a folder, about 2 MB of it: the texts of each document's chunks."""
    documents: list[list[str]] = []
    n_chars = 0
    with Reader(
        timeout_s=settings.read_timeout_s,
        memory_bytes=settings.read_memory_bytes,
        max_file_bytes=settings.max_file_bytes,
    ) as reader:
        for found in walk(os.fsencode(folder)):
            if not isinstance(found, Found) or found.skip:
                continue
            documents.append(_texts_of(reader, found.path))
            n_chars += sum(map(len, documents[-1]))
            if n_chars > _ENOUGH_CHARS:
                break
    return documents


def _texts_of(reader: Reader, path: bytes) -> list[str]:
    texts: list[str] = []
    try:
        for block in reader.read(path):
            for _, (start, end) in block.chunks:
                offset = block.char_start
                texts.append(block.text[start - offset : end - offset])
    except DocumentError:  # what cannot be read is no material
        return []
    return texts


def queries_from(index: Index, n_queries: int) -> list[str]:
    """Take a few words out of the middle of documents, spread over the index.

    Args:
        index: What is to be searched.
        n_queries: How many at most; as many as there are documents, where those are few.
    """
    found = {file.document_id for file in index.store.files(state="indexed")}
    documents = sorted(filter(None, found))
    step = max(1, len(documents) // n_queries)
    chosen = documents[::step][:n_queries]
    return [_query_from(index, document_id) for document_id in chosen]


def _query_from(index: Index, document_id: int) -> str:
    chunks = index.store.chunk_texts(document_id)
    _, _, text = next(iter(chunks), (0, None, ""))
    words = [word for word in text.split() if word.isalpha()]  # "--k" is an option
    middle = len(words) // 2
    return " ".join(words[middle : middle + _QUERY_WORDS]) or "nothing"
