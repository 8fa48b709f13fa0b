"""A copy of the index that is whole or absent."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pplx_local.errors import StoreError, StoreFull
from pplx_local.store.connection import Database, create_file, file_uri


def write_backup(database: Database, target: Path) -> None:
    """Write a copy beside the target, and give it its name when it is on the disk.

    Raises:
        StoreError: The target exists, or cannot be written.
        StoreFull: There is no room for it.
    """
    if not target.parent.is_dir():
        raise StoreError(f"There is no folder {target.parent} to write a backup to.")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        if target.exists():
            raise FileExistsError
        create_file(unfinished)
        database.execute("VACUUM INTO ?", (file_uri(unfinished),))
        _flush(unfinished)
        # Unlike a rename, a link never replaces a file made in the meantime.
        os.link(unfinished, target)
        _flush(target.parent)
    except StoreFull as error:
        raise StoreFull(
            f"There is no room for the backup {target}; nothing was written. Choose "
            "another place, or free some space."
        ) from error
    except FileExistsError as error:
        raise StoreError(f"{target} exists already; choose another name.") from error
    except OSError as error:
        raise StoreError(
            f"Cannot write the backup {target}: {error.strerror}."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
