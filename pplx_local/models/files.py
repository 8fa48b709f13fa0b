"""Where a checkpoint lies on this machine, and whether it is what it should be."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from pplx_local.backend.files import weight_files
from pplx_local.errors import ModelError
from pplx_local.models.catalogue import (
    CATALOGUE,
    STARTER,
    Checkpoint,
    Profile,
    lookup,
)
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
        if _is_whole(checkpoint, place):
            return place
    return None


def _is_whole(checkpoint: Checkpoint, place: Path) -> bool:
    if not all((place / name).is_file() for name in checkpoint.files):
        return False
    try:
        return bool(weight_files(place))
    except ModelError:
        return False


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
        setting: "auto" for the best here (none is fine: keywords still work), "none", a
            checkpoint's name, or two joined by "+": one for each leg.
        home: Where checkpoints that are no packages lie.

    Raises:
        ModelError: There is no checkpoint of that name, or two serve the same leg.
    """
    choice = setting.strip().casefold()
    if choice == "none":
        return Profile(None, None)
    if choice == "auto":
        return _best_here(home)
    return _together([lookup(name) for name in setting.split("+")])


def _best_here(home: Path) -> Profile:
    """Take checkpoints of the pplx-embed family; the starter where there is none."""
    here = [one for one in CATALOGUE.values() if find(one, home)]
    family = [one for one in here if one is not STARTER] or here
    return Profile(*(_first_serving(family, role) for role in ("dense", "late")))


def _together(checkpoints: Sequence[Checkpoint]) -> Profile:
    """Give each leg the one checkpoint that serves it."""
    for role in ("dense", "late"):
        serving = [one.name for one in checkpoints if role in one.roles]
        if len(serving) > 1:
            raise ModelError(
                f"{' and '.join(serving)} would both serve the {role} leg: choose one."
            )
    return Profile(*(_first_serving(checkpoints, role) for role in ("dense", "late")))


def _first_serving(checkpoints: Sequence[Checkpoint], role: Role) -> Checkpoint | None:
    return next((one for one in checkpoints if role in one.roles), None)
