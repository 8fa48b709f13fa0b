"""The folder that is filled beside a checkpoint's place, and the moment of renaming."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import filelock

from pplx_local.errors import ModelError
from pplx_local.models import (
    Checkpoint,
    Manifest,
    RecordedFile,
    folder_of,
    write_manifest,
)

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_SPARE_BYTES: Final = 50_000_000
"""Left free: a full disk stops more than us."""


def staging_of(checkpoint: Checkpoint, home: Path, purpose: str) -> Path:
    """Say which folder is filled: hidden, and of a name that no checkpoint has."""
    return folder_of(checkpoint, home).with_name(f".{checkpoint.name}.{purpose}")


@contextmanager
def taking_over(checkpoint: Checkpoint, home: Path) -> Iterator[None]:
    """Be the only one who fills a checkpoint's folder, and say in words what fails.

    Raises:
        ModelError: Another process fills it, the disk is full, or cannot be written to.
    """
    models = folder_of(checkpoint, home).parent
    lock = filelock.FileLock(models / f".{checkpoint.name}.lock", timeout=0, mode=0o600)
    try:
        models.mkdir(mode=0o700, parents=True, exist_ok=True)
        with lock:
            yield
    except filelock.Timeout as error:
        raise ModelError(
            f"Another pplx-local is fetching {checkpoint.title} into {models}. "
            "Wait until it is done, or stop it."
        ) from error
    except OSError as error:
        raise ModelError(_in_words(error, models)) from error


def _in_words(error: OSError, models: Path) -> str:
    if error.errno in _FULL:
        return (
            f"The disk of {models} is full. Make room, and run the same command again; "
            "or choose another place with --home DIR."
        )
    why = error.strerror or error
    return f"Cannot write {error.filename or models}: {why}."


def free_bytes(home: Path) -> int:
    """Measure the room where a home lies, or will lie."""
    place = next(path for path in (home, *home.parents) if path.exists())
    return shutil.disk_usage(place).free


def require_room(home: Path, needed_bytes: int, title: str) -> None:
    """Refuse to begin what would not fit.

    Raises:
        ModelError: The disk has too little room.
    """
    free = free_bytes(home)
    if needed_bytes + _SPARE_BYTES > free:
        raise ModelError(
            f"{title} needs {needed_bytes / 1e9:,.2f} GB more on the disk of {home}, and "
            f"{free / 1e9:,.2f} GB are free. Make room, or choose another place with "
            "--home DIR."
        )


def keep(file: BinaryIO) -> None:
    """Bring what was written to the disk, before anything says that it is there."""
    file.flush()
    os.fsync(file.fileno())


def settle(
    staging: Path,
    checkpoint: Checkpoint,
    home: Path,
    files: Mapping[str, RecordedFile],
    origin: tuple[str, str | None],
) -> Path:
    """Record what a folder holds, and put it into its place in one go.

    Args:
        staging: Holds the files, all of them right.
        checkpoint: The one that they are.
        home: Where its place is.
        files: What was hashed, by path.
        origin: Repository or folder, and the commit where it is known.

    Returns:
        The place. What lay there is gone.
    """
    when = datetime.now(UTC).isoformat(timespec="seconds")
    write_manifest(staging, Manifest(checkpoint.name, *origin, when, files))
    place = folder_of(checkpoint, home)
    old = staging_of(checkpoint, home, "old")
    _clear(old)
    if os.path.lexists(place):
        place.rename(old)
    staging.rename(place)
    _clear(old)
    return place


def _clear(old: Path) -> None:
    """Remove a folder, or the file or link that a person put in its place."""
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)
