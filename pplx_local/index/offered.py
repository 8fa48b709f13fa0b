"""The checkpoints as those see them who choose one: sizes, needs, and what is here."""

from __future__ import annotations

from pathlib import Path

from pplx_local.config import Settings
from pplx_local.index.cost import memory_for
from pplx_local.models import CATALOGUE, Checkpoint, find, how_to_get, profile_of
from pplx_local.records import ModelList, ModelRecord


def list_models(settings: Settings) -> ModelList:
    """List all of the catalogue.

    Raises:
        ModelError: The settings ask for a checkpoint that there is not.
    """
    used = {one.name for one in profile_of(settings) if one}
    models = (_record(one, settings, one.name in used) for one in CATALOGUE.values())
    return ModelList(settings.model, tuple(models))


def _record(checkpoint: Checkpoint, settings: Settings, used: bool) -> ModelRecord:
    found = find(checkpoint, settings.home)
    memory, memory_fp32 = memory_for(checkpoint, settings)
    return ModelRecord(
        name=checkpoint.name,
        title=checkpoint.title,
        good_for=checkpoint.good_for,
        roles=checkpoint.roles,
        license=checkpoint.license,
        parameters=checkpoint.n_parameters,
        languages=checkpoint.languages,
        bytes=_size_of(found) if found else checkpoint.size_bytes,
        memory_bytes=memory,
        memory_fp32_bytes=memory_fp32,
        path=str(found) if found else None,
        used=used,
        install=how_to_get(checkpoint, settings.home),
        repository=checkpoint.repository,
    )


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
