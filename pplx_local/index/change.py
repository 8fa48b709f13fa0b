"""Choosing another model: what it would cost, and what is let go."""

from __future__ import annotations

from collections.abc import Iterable

from pplx_local.config import Settings
from pplx_local.errors import ModelError, StoreFull
from pplx_local.index.cost import (
    bytes_per_token,
    free_disk,
    memory_for,
    seconds_for,
    tokens_in,
    tokens_read,
)
from pplx_local.index.serving import Held, ProfileSpaces, checkpoints_of
from pplx_local.index.status import profile_names, serving_names
from pplx_local.models import Checkpoint, find, why_missing
from pplx_local.records import ModelEstimate
from pplx_local.store import Space, Store


def estimate(spaces: ProfileSpaces, settings: Settings) -> ModelEstimate:
    """Estimate what the profile of these spaces still has to embed.

    Raises:
        ModelError: A checkpoint of it is not on this computer.
        StoreFull: There is no room for its vectors.
    """
    _refuse_missing(spaces, settings)
    held = spaces.wanted_here()
    tokens = _tokens(spaces, held)
    memory = [memory_for(checkpoint, settings) for checkpoint in tokens]
    disk_bytes = sum(_disk_bytes(spaces, one) for one in held)
    found = ModelEstimate(
        profile=profile_names(spaces.profile),
        serving=serving_names(spaces),
        documents=spaces.backlog(held).documents if held else 0,
        tokens=sum(tokens.values()),
        seconds=seconds_for(tokens, settings.home),
        memory_bytes=max((in_bf16 for in_bf16, _ in memory), default=0),
        memory_fp32_bytes=max((in_fp32 for _, in_fp32 in memory), default=0),
        disk_bytes=disk_bytes,
        free_disk_bytes=free_disk(settings.home),
    )
    _refuse_lack_of_room(found, settings)
    return found


def _tokens(spaces: ProfileSpaces, held: Iterable[Held]) -> dict[Checkpoint, int]:
    """Estimate what each checkpoint has to read; those without work are left out."""
    by_checkpoint: dict[Checkpoint, list[Held]] = {}
    for one in held:
        by_checkpoint.setdefault(one.checkpoint, []).append(one)
    lengths = {one: spaces.lengths(held) for one, held in by_checkpoint.items()}
    return {one: tokens_read(one, each) for one, each in lengths.items() if sum(each)}


def _disk_bytes(spaces: ProfileSpaces, held: Held) -> int:
    n_tokens = tokens_in(spaces.backlog([held]).chars)
    return int(n_tokens * bytes_per_token(held.checkpoint, held.space.spec.role))


def _refuse_missing(spaces: ProfileSpaces, settings: Settings) -> None:
    checkpoints = dict.fromkeys(one for one in spaces.profile if one)
    missing = [one for one in checkpoints if find(one, settings.home) is None]
    if missing:
        raise ModelError(" ".join(why_missing(one, settings.home) for one in missing))


def _refuse_lack_of_room(found: ModelEstimate, settings: Settings) -> None:
    if found.disk_bytes <= found.free_disk_bytes:
        return
    names = " and ".join(dict.fromkeys(filter(None, found.profile.values())))
    raise StoreFull(
        f"The vectors of {names} would take about {found.disk_bytes / 1e9:.2f} GB in "
        f"{settings.home}, where {found.free_disk_bytes / 1e9:.2f} GB are free. Make "
        "room, choose a smaller model, or another place with --home DIR. Nothing was "
        "changed."
    )


def let_go(spaces: ProfileSpaces, store: Store) -> list[str]:
    """Drop vectors that the profile has no use for, and name their checkpoints.

    Those are made by other rules than today's, and, where the profile answers, those
    of other checkpoints: it was chosen again before these were full.
    """
    useless = _useless(spaces, store)
    spaces.drop(useless)
    return checkpoints_of(useless)


def _useless(spaces: ProfileSpaces, store: Store) -> list[Space]:
    held = spaces.wanted_here()
    if not held:
        return []
    if not spaces.is_changing():
        return spaces.outdated()
    wanted = {(one.space.spec.role, one.checkpoint.name): one.space for one in held}
    return [
        space
        for space in store.spaces()
        if (own := wanted.get((space.spec.role, space.spec.checkpoint)))
        and own.space_id != space.space_id
    ]
