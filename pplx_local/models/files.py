"""Where a checkpoint lies on this machine, and whether it is what it should be."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pplx_local.backend.files import SINGLE, weight_files
from pplx_local.errors import ModelError
from pplx_local.models.catalogue import (
    CATALOGUE,
    STARTER,
    Checkpoint,
    Profile,
    lookup,
)
from pplx_local.models.manifest import (
    RecordedFile,
    hash_file,
    read_manifest,
    record,
    write_manifest,
)
from pplx_local.records import Role


def folder_of(checkpoint: Checkpoint, home: Path) -> Path:
    """Say where a checkpoint that is no package lies, or will lie."""
    return home / "models" / checkpoint.name


def find(checkpoint: Checkpoint, home: Path | None = None) -> Path | None:
    """Find the folder of a checkpoint: its own package, else the home's `models/NAME`.

    Nothing is imported, fetched or verified.

    Returns:
        None when a file is missing from both, or nobody knows what the files should be.
    """
    places = []
    if checkpoint.package:
        spec = importlib.util.find_spec(checkpoint.package)
        roots = spec.submodule_search_locations if spec else None
        places += [Path(root) / "model" for root in roots or ()]
    if home:
        places.append(folder_of(checkpoint, home))
    for place in places:
        if _is_whole(checkpoint, place):
            return place
    return None


def _is_whole(checkpoint: Checkpoint, place: Path) -> bool:
    try:
        if not all((place / name).is_file() for name in checkpoint.files):
            return False
        weights = weight_files(place)
        manifest = read_manifest(place)
        recorded = manifest.files if manifest else {}
        known = {*checkpoint.sha256, *recorded}
        return all(path.name in known for path in weights) and all(
            (place / name).is_file() for name in recorded
        )
    except (ModelError, OSError):  # a folder that only another user may open
        return False


def verify(checkpoint: Checkpoint, model_dir: Path) -> None:
    """Hold the files of a checkpoint to the digests of the catalogue or the manifest.

    Hashing the starter takes about 60 ms. Gigabytes are hashed again only when their
    size or time is not what the manifest says.

    Raises:
        ModelError: A file is missing, unreadable or another one.
    """
    manifest = read_manifest(model_dir)
    recorded = dict(manifest.files) if manifest else {}
    for name in sorted({*checkpoint.files, *checkpoint.sha256, *recorded}):
        recorded[name] = _verified(checkpoint, model_dir / name, name, recorded)
    for path in weight_files(model_dir):
        if path.name not in recorded:
            raise _unknown(checkpoint, path)
    if manifest and recorded != manifest.files:
        with suppress(OSError):  # a folder that others keep; hashed again next time
            write_manifest(model_dir, replace(manifest, files=recorded))


def _verified(
    checkpoint: Checkpoint,
    path: Path,
    name: str,
    recorded: dict[str, RecordedFile],
) -> RecordedFile:
    """Return what is now known of a file, which is as it should be."""
    known = recorded.get(name)
    expected = checkpoint.sha256.get(name) or (known and known.sha256)
    if not expected:
        raise _unknown(checkpoint, path)
    try:
        if not known or not known.is_untouched(path.stat()):
            known = record(path, hash_file(path))
    except OSError as error:
        raise _unreadable(checkpoint, path, error) from error
    if known.sha256 != expected:
        raise ModelError(
            f"{path} is not the file that {checkpoint.title} was published with "
            f"(sha256 {known.sha256}, expected {expected}). {checkpoint.install}"
        )
    return known


def _unknown(checkpoint: Checkpoint, path: Path) -> ModelError:
    return ModelError(
        f"Nobody knows what {path} of {checkpoint.title} should be: it was put there by "
        f"hand. Take it over with: pplx-local models import '{path.parent}'"
    )


def _unreadable(checkpoint: Checkpoint, path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"Cannot read {path} of {checkpoint.title}: {error.strerror}. "
        f"{checkpoint.install}"
    )


# --- digests -----------------------------------------------------------------


def weights_digest(checkpoint: Checkpoint, model_dir: Path) -> str:
    """Give one digest of a checkpoint's weights, in one file or in shards.

    Raises:
        ModelError: A file is missing.
    """
    if SINGLE in checkpoint.sha256:
        return checkpoint.sha256[SINGLE]
    names = [path.name for path in weight_files(model_dir)]
    digests = [file_digest(checkpoint, name, model_dir) for name in names]
    return digests[0] if len(digests) == 1 else _joined(digests)


def _joined(digests: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def file_digest(checkpoint: Checkpoint, name: str, model_dir: Path) -> str:
    """Give the sha256 of a file: known, recorded, or else computed.

    Raises:
        ModelError: It is missing.
    """
    if name in checkpoint.sha256:
        return checkpoint.sha256[name]
    manifest = read_manifest(model_dir)
    if manifest and name in manifest.files:
        return manifest.files[name].sha256
    try:
        return hash_file(model_dir / name)
    except OSError as error:
        raise _unreadable(checkpoint, model_dir / name, error) from error


# --- which are used ----------------------------------------------------------


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
    names = [name.strip() for name in setting.split("+")]
    if len(names) > 1 and not {"", "auto", "none"}.isdisjoint(map(str.casefold, names)):
        raise ModelError(
            f"{setting!r} is no choice of models: a '+' stands between the names of two "
            "checkpoints, and 'auto' and 'none' stand alone. See: pplx-local models list"
        )
    return _together(list(dict.fromkeys(map(lookup, names))))


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
