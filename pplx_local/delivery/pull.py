"""A checkpoint from the hub: what it would cost, and fetching what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pplx_local.delivery.contents import (
    is_weights,
    require_geometry,
    require_parts,
    require_tensors,
    wanted,
)
from pplx_local.delivery.hub import Hub, Listing, OnBytes, RemoteFile
from pplx_local.delivery.place import (
    free_bytes,
    require_room,
    settle,
    staging_of,
    taking_over,
)
from pplx_local.errors import ModelError
from pplx_local.models import Checkpoint, RecordedFile, hash_file, record


@dataclass(frozen=True, slots=True)
class Offer:
    """What fetching a checkpoint means, before anything is fetched."""

    checkpoint: Checkpoint
    repository: str
    endpoint: str
    revision: str
    """The commit that will be fetched."""
    license: str
    files: tuple[RemoteFile, ...]
    """Those that are needed, small ones first."""
    kept_bytes: int
    """Of them that an earlier run has fetched."""
    free_bytes: int
    """On the disk."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self.files)

    @property
    def is_pinned(self) -> bool:
        """Whether the catalogue names the commit; otherwise it is the newest."""
        return self.revision == self.checkpoint.revision


def offer(checkpoint: Checkpoint, home: Path) -> Offer:
    """Ask the hub what a checkpoint consists of; no file is fetched.

    Raises:
        ModelError: It is a package's, cannot be had, is not what it should be, or does
            not fit the disk.
    """
    if checkpoint.repository is None:
        raise ModelError(f"{checkpoint.title} comes as a package. {checkpoint.install}")
    hub = Hub()
    listing = hub.listing(checkpoint.repository, checkpoint.revision)
    files = _needed(checkpoint, listing)
    made = Offer(
        checkpoint=checkpoint,
        repository=checkpoint.repository,
        endpoint=hub.endpoint,
        revision=listing.revision,
        license=listing.license or checkpoint.license,
        files=tuple(files),
        kept_bytes=_kept(files, staging_of(checkpoint, home, "part")),
        free_bytes=free_bytes(home),
    )
    require_room(home, made.size_bytes - made.kept_bytes, checkpoint.title)
    return made


def _needed(checkpoint: Checkpoint, listing: Listing) -> list[RemoteFile]:
    """Choose what is fetched, and refuse what would be of no use."""
    by_path = {file.path: file for file in listing.files}
    where = f"{checkpoint.repository} at {listing.revision}"
    require_parts(checkpoint, by_path, where)
    files = sorted(map(by_path.__getitem__, wanted(by_path)), key=_order)
    for file in files:
        _require_digest(checkpoint, file.path, file.sha256, where)
    return files


def _order(file: RemoteFile) -> tuple[bool, str]:
    """Put what tells whether the large files are worth fetching first."""
    return is_weights(file.path), file.path


def _kept(files: Iterable[RemoteFile], staging: Path) -> int:
    sizes = [(staging / file.path, file.size) for file in files]
    return sum(min(p.stat().st_size, size) for p, size in sizes if p.is_file())


def _require_digest(
    checkpoint: Checkpoint, name: str, found: str | None, where: str
) -> None:
    expected = checkpoint.sha256.get(name)
    if expected and found and found != expected:
        raise ModelError(
            f"{name} of {where} is not the file that {checkpoint.title} was published "
            f"with (sha256 {found}, expected {expected}). It is not taken."
        )


def pull(offer: Offer, home: Path, on_bytes: OnBytes) -> Path:
    """Fetch a checkpoint, going on where an earlier run was stopped.

    Args:
        offer: What is fetched.
        home: Where it goes, to `models/NAME`.
        on_bytes: Told of every byte that is there, those of earlier runs too.

    Returns:
        Its folder, which has every file, and the right ones.

    Raises:
        ModelError: It cannot be had, or a file is not what it should be.
    """
    checkpoint = offer.checkpoint
    staging = staging_of(checkpoint, home, "part")
    with taking_over(checkpoint, home):
        staging.mkdir(mode=0o700, exist_ok=True)
        _remove_others(staging, {file.path for file in offer.files})
        recorded = dict(_fetched(offer, staging, on_bytes))
        origin = offer.repository, offer.revision
        return settle(staging, checkpoint, home, recorded, origin)


def _remove_others(staging: Path, names: set[str]) -> None:
    """Clear away what an earlier run fetched of another commit."""
    for path in [path for path in staging.rglob("*") if path.is_file()]:
        if path.relative_to(staging).as_posix() not in names:
            path.unlink()


def _fetched(
    offer: Offer, staging: Path, on_bytes: OnBytes
) -> Iterator[tuple[str, RecordedFile]]:
    hub = Hub()
    small = [file for file in offer.files if not is_weights(file.path)]
    for file in small:
        yield file.path, _fetch(hub, offer, file, staging, on_bytes)
    with _of_no_use_when_refused(staging):
        architecture = require_geometry(offer.checkpoint, staging)
    for file in offer.files[len(small) :]:
        yield file.path, _fetch(hub, offer, file, staging, on_bytes)
    with _of_no_use_when_refused(staging):
        require_tensors(staging, architecture)


@contextmanager
def _of_no_use_when_refused(staging: Path) -> Iterator[None]:
    """Keep nothing of what came as it was published and still cannot be used."""
    try:
        yield
    except ModelError:
        shutil.rmtree(staging)
        raise


def _fetch(
    hub: Hub, offer: Offer, file: RemoteFile, staging: Path, on_bytes: OnBytes
) -> RecordedFile:
    """Fetch a file and hold it to its digest; begin anew if a kept part was wrong."""
    path = staging / file.path
    path.parent.mkdir(mode=0o700, exist_ok=True)
    kept = path.stat().st_size if path.exists() else 0
    source = offer.repository, offer.revision
    hub.download(source, file, path, on_bytes)
    digest = hash_file(path)
    if kept and not file.is_same(path, digest):
        path.unlink()
        on_bytes(-file.size)
        hub.download(source, file, path, on_bytes)
        digest = hash_file(path)
    if not file.is_same(path, digest):
        path.unlink()
        raise _damaged(offer, file, digest)
    with _of_no_use_when_refused(staging):
        _require_digest(offer.checkpoint, file.path, digest, offer.repository)
    return record(path, digest)


def _damaged(offer: Offer, file: RemoteFile, digest: str) -> ModelError:
    expected = file.sha256 or f"of git's {file.git_id}"
    return ModelError(
        f"{file.path} of {offer.repository} came damaged: sha256 {digest}, expected "
        f"{expected}. It was thrown away; run the same command again to fetch it anew."
    )
