"""From the spaces that answer to a searcher over them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial

from pplx_local.answer import LOADING
from pplx_local.errors import PplxLocalError
from pplx_local.index.look import why_unreachable
from pplx_local.index.paths import lies_in
from pplx_local.index.serving import Held, ProfileSpaces
from pplx_local.index.workers import Workers
from pplx_local.models import Fusion, why_missing
from pplx_local.records import Mode, Role
from pplx_local.search import Searcher, SearchSpace
from pplx_local.store import Store

KEYWORDS_ALONE = Fusion({"lexical": 1.0})
"""When there is no checkpoint to say how its legs are added up."""


def make_searcher(
    store: Store,
    spaces: ProfileSpaces,
    workers: Workers,
    mode: Mode,
    no_model: str,
    *,
    wait: bool = True,
    exhaustive: bool = False,
) -> Searcher:
    """Make a searcher with the spaces that the mode needs.

    Args:
        store: Where they lie.
        spaces: Say which ones answer.
        workers: Encode the queries.
        mode: What will be ranked by.
        no_model: Why there is none, where the profile is empty.
        wait: For a model that is loading; else its legs are missing for now.
        exhaustive: Whether the late leg scores all chunks, where they can be kept.
    """
    serving = spaces.serving()
    ready: dict[Role, SearchSpace] = {}
    missing: dict[Role, str] = {}
    if mode != "lexical":
        missing = _absent(spaces, no_model) | spaces.mismatched()
        wanted = {role: held for role, held in serving.items() if role not in missing}
        _begin_loading(wanted.values(), workers)
        for role, held in wanted.items():
            found = _ready(held, workers, wait=wait, exhaustive=exhaustive)
            if isinstance(found, SearchSpace):
                ready[role] = found
            else:
                missing[role] = found
    return _bind(store, serving, ready, missing)


def _bind(
    store: Store,
    serving: Mapping[Role, Held],
    ready: Mapping[Role, SearchSpace],
    missing: Mapping[Role, str],
) -> Searcher:
    held = serving.get("late") or serving.get("dense")
    return Searcher(
        store,
        ready,
        fusion=held.checkpoint.fusion if held else KEYWORDS_ALONE,
        curves=held.checkpoint.confidence if held else (),
        missing=missing,
        is_gone=partial(_is_gone, store),
    )


def _absent(spaces: ProfileSpaces, no_model: str) -> dict[Role, str]:
    """Say why roles have no checkpoint here; one that is not wanted is not missed."""
    if not any(spaces.profile):
        return {"dense": no_model, "late": no_model}
    profile = spaces.profile._asdict()
    return {
        role: why_missing(profile[role], spaces.home)
        for role, held in spaces.wanted().items()
        if held is None
    }


def _begin_loading(wanted: Iterable[Held], workers: Workers) -> None:
    """Start all encoders: two that load at once are there in half the time."""
    for held in wanted:
        if held.is_made:
            workers.get(held.checkpoint, held.model_dir)


def _ready(
    held: Held, workers: Workers, *, wait: bool, exhaustive: bool
) -> SearchSpace | str:
    """Get the encoder of a space ready; return why there is none."""
    if not held.is_made:
        return "nothing is embedded yet: run pplx-local update"
    worker = workers.get(held.checkpoint, held.model_dir)
    try:
        if not (wait or worker.is_ready() or worker.plan([""]).done()):
            return LOADING
        worker.info()  # at once, or with the reason why it cannot be loaded
    except PplxLocalError as error:
        return str(error)
    is_late = held.space.spec.role == "late"
    kept = workers.kept(worker, held.space) if exhaustive and is_late else None
    return SearchSpace.of(held.space, worker, held.checkpoint, kept)


def _is_gone(store: Store, path: bytes) -> bool:
    """Tell a deleted file from one whose volume is away."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        folder = next((f for f in store.folders() if lies_in(path, f.path)), None)
        return folder is None or why_unreachable(folder, has_files=True) is None
    except OSError:
        return False
    return False
