"""Registering folders, and forgetting them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pplx_local.errors import FolderError
from pplx_local.index.paths import absolute, followed, not_registered, readable
from pplx_local.index.targets import covering
from pplx_local.records import FolderRecord
from pplx_local.store import Store


def add_folder(store: Store, home: Path, path: Path) -> FolderRecord:
    """Register a folder or a single file; one that is covered already is kept.

    Raises:
        FolderError: It is missing, unreadable, or the program's own home.
    """
    path = readable(path)
    if path.is_relative_to(home.resolve()):
        raise FolderError(f"{path} is where pplx-local keeps its own files.")
    if covered := covering(path, store.folders()):
        return covered
    return store.add_folder(os.fsencode(path), path.stat().st_dev, time.time_ns())


def remove_folder(store: Store, path: Path) -> int:
    """Forget a folder; its documents stop answering at once.

    Returns:
        How many files are forgotten.

    Raises:
        FolderError: It is not registered.
    """
    folders = {folder.path: folder for folder in store.folders()}
    wanted = os.fsencode(absolute(path))
    folder = folders.get(wanted) or folders.get(os.fsencode(followed(path)))
    if folder is None:
        raise FolderError(not_registered(path, list(folders)))
    n_files = store.remove_folder(folder.folder_id)
    store.settle_documents(time.time_ns())
    return n_files
