"""A copy of the index that is whole or absent."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pplx_local.errors import StoreError, StoreFull
from pplx_local.store.connection import Database, file_uri


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
        unfinished.unlink(missing_ok=True)
        _create(unfinished)
        database.execute("VACUUM INTO ?", (file_uri(unfinished),))
        _flush(unfinished)
        _name(unfinished, target)
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


def _create(path: Path) -> None:
    """Make an empty file that only its owner can read, where none is."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _name(unfinished: Path, target: Path) -> None:
    """Give the copy its name, which no file may have."""
    try:
        # Unlike a rename, a link never replaces a file made in the meantime.
        os.link(unfinished, target)
    except FileExistsError:
        raise
    except OSError:  # exFAT, FAT and many servers have no links
        _create(target)
        _replace(unfinished, target)
    with contextlib.suppress(OSError):  # nor do all of them flush folders
        _flush(target.parent)


def _replace(unfinished: Path, reserved: Path) -> None:
    try:
        unfinished.replace(reserved)
    except BaseException:
        reserved.unlink()
        raise


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
