"""Which checkpoint of the catalogue a folder holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pplx_local.backend.architecture import DENSE_HEAD, read_architecture
from pplx_local.delivery.contents import has_sizes_of
from pplx_local.errors import ModelError
from pplx_local.models import (
    CATALOGUE,
    Checkpoint,
    Manifest,
    hash_file,
    lookup,
    read_manifest,
)

Kind = Literal["dense", "context", "late"]

_QUANTIZER = "FlexibleQuantizer"
"""The last module of a dense checkpoint, as sentence-transformers lists them."""
_CONTEXTUAL = "ContextualModel"
"""How the class ends that a contextual checkpoint names."""


def identify(folder: Path, name: str | None) -> Checkpoint:
    """Tell which checkpoint a folder holds.

    Args:
        folder: Holds config.json at least.
        name: What the person says it is; None to find out.

    Raises:
        ModelError: It is of no network that can be run, or of none that is known, or of
            one that cannot be told from another.
    """
    architecture = read_architecture(folder)
    if name:
        return lookup(name)
    known = _by_digest(folder) or _by_manifest(folder)
    if known:
        return known
    sized = [c for c in CATALOGUE.values() if has_sizes_of(c, architecture)]
    kind = _kind_stated(folder)
    fitting = [one for one in sized if kind_of(one) == kind]
    if len(fitting) == 1:
        return fitting[0]
    raise ModelError(_unclear(folder, fitting or sized))


def kind_of(checkpoint: Checkpoint) -> Kind:
    """Say how a checkpoint is told from others of its size."""
    if "dense" not in checkpoint.roles:
        return "late"
    return "context" if checkpoint.window_rule.kind == "context" else "dense"


def _by_digest(folder: Path) -> Checkpoint | None:
    digest = hash_file(folder / "config.json")
    matching = (c for c in CATALOGUE.values() if c.sha256.get("config.json") == digest)
    return next(matching, None)


def _by_manifest(folder: Path) -> Checkpoint | None:
    """Follow the record of a folder that came from another home."""
    manifest = record_of(folder)
    return CATALOGUE.get(manifest.checkpoint) if manifest else None


def record_of(folder: Path) -> Manifest | None:
    """Read the record of a folder, if it has one that can be read."""
    try:
        return read_manifest(folder)
    except ModelError:
        return None


def _kind_stated(folder: Path) -> Kind | None:
    """Read the marks that the published repositories bear."""
    if (folder / DENSE_HEAD).is_dir():
        return "late"
    if _auto_model(folder / "config.json").endswith(_CONTEXTUAL):
        return "context"
    modules = folder / "modules.json"
    if modules.is_file() and _QUANTIZER in modules.read_text(encoding="utf-8"):
        return "dense"
    return None


def _auto_model(config: Path) -> str:
    """Read which class a configuration would have run; it is never run."""
    values: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    auto_map = values.get("auto_map")
    return str(auto_map.get("AutoModel")) if isinstance(auto_map, dict) else ""


def _unclear(folder: Path, possible: list[Checkpoint]) -> str:
    if not possible:
        return (
            f"{folder} is of no size that a known checkpoint has. Known: "
            f"{', '.join(CATALOGUE)}."
        )
    names = " or ".join(one.name for one in possible)
    return (
        f"{folder} does not say which checkpoint it is. It may be {names}: say which "
        "with --as NAME."
    )
