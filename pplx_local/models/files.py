"""Where a checkpoint lies on this machine, and whether it is what it should be."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from pplx_local.errors import ModelError
from pplx_local.models.catalogue import CATALOGUE, Checkpoint, Profile, lookup
from pplx_local.records import Role


def find(checkpoint: Checkpoint, home: Path | None = None) -> Path | None:
    """Find the folder of a checkpoint: its own package, else the home's `models/NAME`.

    Nothing is imported, fetched or verified.

    Returns:
        None when a file is missing from both.
    """
    places = []
    if checkpoint.package:
        spec = importlib.util.find_spec(checkpoint.package)
        roots = spec.submodule_search_locations if spec else None
        places += [Path(root) / "model" for root in roots or ()]
    if home:
        places.append(home / "models" / checkpoint.name)
    for place in places:
        if all((place / name).is_file() for name in checkpoint.sha256):
            return place
    return None


def verify(checkpoint: Checkpoint, model_dir: Path) -> None:
    """Compare the files of a checkpoint with their known digests.

    Hashing 90 MB takes about 60 ms, little beside loading it, so nothing is cached.

    Raises:
        ModelError: A file is missing, unreadable or another one.
    """
    for name, expected in checkpoint.sha256.items():
        path = model_dir / name
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(
                f"Cannot read {path} of {checkpoint.title}: {error.strerror}. "
                f"{checkpoint.install}"
            ) from error
        if digest != expected:
            raise ModelError(
                f"{path} is not the file that {checkpoint.title} was published with "
                f"(sha256 {digest}, expected {expected}). {checkpoint.install}"
            )


def resolve(setting: str, home: Path) -> Profile:
    """Choose the checkpoints that a setting asks for.

    Args:
        setting: "auto" for the best one here (none is fine: keywords still work),
            "none", or a checkpoint's name.
        home: Where checkpoints that are no packages lie.

    Raises:
        ModelError: There is no checkpoint of that name.
    """
    choice = setting.strip().casefold()
    if choice == "none":
        return Profile(None, None)
    if choice == "auto":
        here = (one for one in CATALOGUE.values() if find(one, home))
        chosen = next(here, None)
    else:
        chosen = lookup(setting)
    return Profile(_serving(chosen, "dense"), _serving(chosen, "late"))


def _serving(checkpoint: Checkpoint | None, role: Role) -> Checkpoint | None:
    return checkpoint if checkpoint and role in checkpoint.roles else None
