"""The checkpoints that the settings ask for, with the rules that they change."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.errors import ModelError
from pplx_local.models.catalogue import Checkpoint, Profile
from pplx_local.models.files import find, folder_of, resolve


def profile_of(settings: Settings) -> Profile:
    """Choose the checkpoints that the settings ask for.

    Raises:
        ModelError: There is no checkpoint of a name, or two serve the same leg.
    """
    found = resolve(settings.model, settings.home)
    return Profile(*(as_set(one, settings) if one else None for one in found))


def find_or_refuse(checkpoint: Checkpoint, home: Path) -> Path:
    """Find the folder of a checkpoint that cannot be done without.

    Raises:
        ModelError: It is not on this computer.
    """
    model_dir = find(checkpoint, home)
    if model_dir is None:
        raise ModelError(why_missing(checkpoint, home))
    return model_dir


def why_missing(checkpoint: Checkpoint, home: Path) -> str:
    """Say that `find` finds no checkpoint, and what to do."""
    return f"{checkpoint.title} is not on this computer. {how_to_get(checkpoint, home)}"


def how_to_get(checkpoint: Checkpoint, home: Path) -> str:
    """Say what to do, also about files that lie there and are no checkpoint."""
    folder = folder_of(checkpoint, home)
    if not os.path.lexists(folder) or find(checkpoint, home):
        return checkpoint.install
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"{folder} cannot be opened: give yourself access to it."
    return (
        f"What lies in {folder} is not whole, or nobody vouches for it. Take it over "
        f"with: pplx-local models import '{folder}'. Or begin anew. {checkpoint.install}"
    )


def as_set(checkpoint: Checkpoint, settings: Settings) -> Checkpoint:
    """Give a checkpoint the window rule that the settings ask for."""
    rule = checkpoint.window_rule
    if rule.kind == "context":
        rule = replace(rule, limit=settings.window_tokens)
    if rule.expansion_id is not None:
        rule = replace(rule, prefix_position=settings.prefix_position)
    return replace(checkpoint, window_rule=rule)


def with_full_tokens(checkpoint: Checkpoint) -> Checkpoint:
    """Take token vectors in int8, one for each token: nearest to what the model gives."""
    return replace(checkpoint, token_encoding="int8", token_pooling=1)
