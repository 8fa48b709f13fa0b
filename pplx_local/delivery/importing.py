"""A checkpoint from a folder: copied, because the original may change or go away."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pplx_local.delivery.contents import (
    require_geometry,
    require_parts,
    require_tensors,
    wanted,
)
from pplx_local.delivery.hub import OnBytes
from pplx_local.delivery.identify import identify, record_of
from pplx_local.delivery.place import (
    keep,
    require_room,
    settle,
    staging_of,
    taking_over,
)
from pplx_local.errors import ModelError
from pplx_local.models import Checkpoint, RecordedFile, record

_BLOCK_BYTES: Final = 4_000_000
_COMMIT: Final = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that can be imported."""

    checkpoint: Checkpoint
    folder: Path
    files: tuple[str, ...]
    """Paths in the folder of what is needed."""
    size_bytes: int


def examine(folder: Path, name: str | None = None) -> Source:
    """Find out what a folder holds, and refuse what cannot be used.

    Args:
        folder: Has config.json, tokenizer.json and safetensors; links are followed, so
            a snapshot of the hub's cache will do.
        name: The checkpoint that it is; None to find out.

    Raises:
        ModelError: It is none, or not one that can be used.
    """
    try:
        if not (folder / "config.json").is_file():
            raise ModelError(_no_checkpoint(folder))
        checkpoint = identify(folder, name)
        names = [p.relative_to(folder).as_posix() for p in _files(folder)]
        require_parts(checkpoint, names, folder)
        require_tensors(folder, require_geometry(checkpoint, folder))
        chosen = tuple(wanted(names))
        size = sum((folder / path).stat().st_size for path in chosen)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"Cannot read {folder}: {error}.") from error
    return Source(checkpoint, folder, chosen, size)


def import_source(source: Source, home: Path, on_bytes: OnBytes) -> Path:
    """Copy a checkpoint's files to where they belong; all of them or none.

    Args:
        source: What `examine` found.
        home: Where they go, to `models/NAME`.
        on_bytes: Told how many bytes have been copied.

    Returns:
        The checkpoint's folder.

    Raises:
        ModelError: A file is another one than was published, or does not fit the disk.
    """
    checkpoint = source.checkpoint
    require_room(home, source.size_bytes, checkpoint.title)
    staging = staging_of(checkpoint, home, "import")
    with taking_over(checkpoint, home):
        shutil.rmtree(staging, ignore_errors=True)
        try:
            copied = dict(_copied(source, staging, on_bytes))
            place = settle(staging, checkpoint, home, copied, _origin(source.folder))
            # Gigabytes of a pull that nobody will go on with.
            shutil.rmtree(staging_of(checkpoint, home, "part"), ignore_errors=True)
            return place
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _no_checkpoint(folder: Path) -> str:
    if not folder.exists():
        return f"There is no folder {folder}."
    if not folder.is_dir():
        return f"{folder} is no folder. Name the one that holds config.json."
    snapshots = sorted((folder / "snapshots").glob("*/config.json"))
    if snapshots:
        return (
            f"{folder} is a repository of the hub's cache. Name the snapshot in it: "
            f"pplx-local models import '{snapshots[-1].parent}'"
        )
    return f"{folder} holds no checkpoint: there is no config.json in it."


def _files(folder: Path) -> Iterator[Path]:
    """List the files of a folder and of those in it, without going deeper."""
    for pattern in ("*", "*/*"):
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file())


def _origin(folder: Path) -> tuple[str, str | None]:
    """Say where files come from: what their own record says, or the folder's name."""
    manifest = record_of(folder)
    if manifest:
        return manifest.source, manifest.revision
    commit = folder.name if _COMMIT.fullmatch(folder.name) else None
    return str(folder), commit


def _copied(
    source: Source, staging: Path, on_bytes: OnBytes
) -> Iterator[tuple[str, RecordedFile]]:
    manifest = record_of(source.folder)
    known = (
        {name: one.sha256 for name, one in manifest.files.items()} if manifest else {}
    )
    known |= source.checkpoint.sha256
    for name in source.files:
        original, target = source.folder / name, staging / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = _copy(original, target, on_bytes)
        expected = known.get(name, digest)
        if digest != expected:
            raise ModelError(
                f"{original} is not the file that {source.checkpoint.title} was "
                f"published with (sha256 {digest}, expected {expected}). Nothing was "
                "imported."
            )
        yield name, record(target, digest)


def _copy(source: Path, target: Path, on_bytes: OnBytes) -> str:
    """Copy a file's content; return its sha256."""
    digest = hashlib.sha256()
    with source.open("rb") as original, target.open("xb") as copy:
        while block := original.read(_BLOCK_BYTES):
            copy.write(block)
            digest.update(block)
            on_bytes(len(block))
        keep(copy)
    return digest.hexdigest()
