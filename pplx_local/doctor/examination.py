"""Checks of this computer, the index and the models: what is wrong and what to do.

Each check works by itself, so that one that fails hides none of the others.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.doctor.background import background
from pplx_local.doctor.check import Check, Outcome, guarded
from pplx_local.doctor.encoders import encoders
from pplx_local.doctor.parsing import parsing
from pplx_local.errors import FingerprintMismatch
from pplx_local.index import WorkerFactory, spawn_worker
from pplx_local.index.library import NO_MODEL
from pplx_local.index.serving import how_to_rebuild
from pplx_local.models import (
    Checkpoint,
    find,
    how_to_get,
    profile_of,
    space_spec,
    verify,
)
from pplx_local.records import Role
from pplx_local.store import Store
from pplx_local.store.connection import Database, create_file

_LITTLE_SPACE_BYTES = 1_000_000_000
_NO_SPACE_BYTES = 100_000_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ROLES: tuple[Role, Role] = ("dense", "late")
_HOW_TO_GET = NO_MODEL[0].upper() + NO_MODEL[1:]


def examine(
    settings: Settings, *, worker: WorkerFactory = spawn_worker
) -> Iterator[Check]:
    """Run all checks, the quick ones first.

    Args:
        settings: Its home is examined; nothing is written there.
        worker: How encoder workers are made.
    """
    yield _python()
    yield from guarded("sqlite", _sqlite)
    yield _home(settings.home)
    yield _disk(settings.home)
    yield from guarded("index", partial(_index, settings))
    yield from guarded("vectors", partial(_vectors, settings))
    yield from guarded("reading files", partial(parsing, settings))
    yield from guarded("daemon", partial(background, settings))
    yield from guarded("model", partial(_models, settings, worker))


def _python() -> Check:
    detail = (
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores"
    )
    return Check("python", "ok", detail)


# --- the database ------------------------------------------------------------


def _sqlite() -> Iterator[Check]:
    """Open a scratch database: that loads sqlite-vec and checks its distances."""
    with tempfile.TemporaryDirectory(prefix="pplx-local-doctor-") as folder:
        path = Path(folder) / "scratch.db"
        create_file(path)
        database = Database(path)
        try:
            database.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
            versions = database.row("SELECT sqlite_version(), vec_version()")
        finally:
            database.close()
    sqlite, vec = versions or ("?", "?")
    yield Check("sqlite", "ok", f"{sqlite}, FTS5, sqlite-vec {vec} computes right")


def _index(settings: Settings) -> Iterator[Check]:
    if not settings.database.exists():
        remedy = "Make one: pplx-local add PATH"
        yield Check("index", "warn", f"none yet in {settings.home}", remedy)
        return
    with Store.open(settings.database, readonly=True) as store:
        problems = store.integrity_check()
        documents = store.count_documents()
    if problems:
        remedy = (
            f"Move {settings.database} away, and what is called so and ends in -wal "
            "and -shm. Then copy a backup there, or run pplx-local add again; your own "
            "files are not touched."
        )
        yield Check("index", "fail", "; ".join(problems[:3]), remedy)
    else:
        yield Check("index", "ok", f"{documents:,} documents, intact")


def _vectors(settings: Settings) -> Iterator[Check]:
    """Compare the rules by which vectors were made with those of today."""
    if not settings.database.exists():
        return
    found = zip(_ROLES, profile_of(settings), strict=True)
    with Store.open(settings.database, readonly=True) as store:
        for role, checkpoint in found:
            model_dir = find(checkpoint, settings.home) if checkpoint else None
            if checkpoint and model_dir:
                spec = space_spec(checkpoint, role, model_dir)
                try:
                    space = store.open_space(spec, create=False)
                except FingerprintMismatch as error:
                    remedy = how_to_rebuild(settings)
                    yield Check("vectors", "fail", str(error), remedy)
                    continue
                if space:
                    detail = f"{role}, of {checkpoint.name} as it is now"
                    yield Check("vectors", "ok", detail)


# --- the home folder ---------------------------------------------------------


def _home(home: Path) -> Check:
    if not home.exists():
        return Check("home", "ok", f"{home}, made when it is needed")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        remedy = f"Make it yours: chown -R $(id -u) '{home}'"
        return Check("home", "fail", f"{home} cannot be written", remedy)
    if exposed := _exposed(home):
        more = f" and {len(exposed) - 1} more" if len(exposed) > 1 else ""
        remedy = f"Keep it to yourself: chmod -R go= '{home}'"
        # A closed folder hides what is in it; an open one does not.
        outcome: Outcome = "fail" if home in exposed else "warn"
        return Check("home", outcome, f"others may read {exposed[0]}{more}", remedy)
    return Check("home", "ok", f"{home}, readable by you alone")


def _exposed(home: Path) -> list[Path]:
    """List what others have rights to; published weights are no secret."""
    models = home / "models"
    inside = (path for path in sorted(home.rglob("*")) if models not in path.parents)
    return [path for path in (home, *inside) if path != models and _is_exposed(path)]


def _is_exposed(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not stat.S_ISLNK(mode) and bool(mode & _OTHERS)


def _disk(home: Path) -> Check:
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:,.1f} GB free at {place}"
    if free > _LITTLE_SPACE_BYTES:
        return Check("disk", "ok", detail)
    remedy = "Make room, or move the index: pplx-local --home DIR"
    return Check("disk", "fail" if free < _NO_SPACE_BYTES else "warn", detail, remedy)


# --- models and what runs them -----------------------------------------------


def _models(settings: Settings, worker: WorkerFactory) -> Iterator[Check]:
    profile = profile_of(settings)
    checkpoints = {one.name: one for one in profile if one is not None}
    if settings.model == "none":
        remedy = "To use one: pplx-local models use auto"
        yield Check("model", "warn", "switched off: keywords alone answer", remedy)
    elif not checkpoints:
        yield Check("model", "warn", "none: keywords alone answer", _HOW_TO_GET)
    for checkpoint in checkpoints.values():
        name = f"model {checkpoint.name}"
        model_dir = find(checkpoint, settings.home)
        if model_dir is None:
            remedy = how_to_get(checkpoint, settings.home)
            yield Check(name, "warn", "not on this computer", remedy)
            continue
        yield from guarded(name, partial(_model, checkpoint, model_dir))
        yield from encoders(checkpoint, model_dir, settings, worker)


def _whose(checkpoint: Checkpoint) -> str:
    known = any(name.endswith(".safetensors") for name in checkpoint.sha256)
    return f"sha256 as {'published' if known else 'when it was fetched'}"


def _model(checkpoint: Checkpoint, model_dir: Path) -> Iterator[Check]:
    verify(checkpoint, model_dir)
    name = f"model {checkpoint.name}"
    yield Check(name, "ok", f"{model_dir}, {_whose(checkpoint)}")
