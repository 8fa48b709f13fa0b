"""A page of an indexed file as a person would see it."""

from __future__ import annotations

import os
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.documents import Reader
from pplx_local.errors import DocumentError, FolderError
from pplx_local.index.extract import document_at
from pplx_local.index.paths import absolute
from pplx_local.records import Picture
from pplx_local.store import Store


def draw(store: Store, path: Path, page: int, settings: Settings) -> Picture:
    """Draw a page of a PDF, in a process that can do nothing else.

    Args:
        store: The index.
        path: An indexed file: of others nothing is shown.
        page: From 1.
        settings: What drawing it may take.

    Raises:
        FolderError: The file is not in the index, or the page cannot be drawn.
    """
    document_at(store, path, settings)
    reader = Reader(
        timeout_s=settings.read_timeout_s,
        memory_bytes=settings.read_memory_bytes,
        max_file_bytes=settings.max_file_bytes,
    )
    try:
        return reader.draw(os.fsencode(absolute(path)), page)
    except DocumentError as error:
        raise FolderError(f"Page {page} of {path} cannot be shown: {error}.") from error
