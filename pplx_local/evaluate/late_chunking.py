"""Chunks read together or each by itself: the same weights, to see what it is worth."""

from __future__ import annotations

from dataclasses import replace

from pplx_local.errors import ConfigError
from pplx_local.models import CATALOGUE, Checkpoint, Profile


def profile_with(profile: Profile, late_chunking: bool | None) -> Profile:
    """Give a profile whose checkpoints read as told.

    Args:
        profile: The checkpoints in use.
        late_chunking: False reads each chunk by itself. None leaves each checkpoint
            what it was trained for.

    Raises:
        ConfigError: Late chunking is asked of a checkpoint that cannot do it.
    """
    if late_chunking and not is_contextual(profile.dense):
        raise _untrained(profile.dense)
    if late_chunking is not False:
        return profile
    return Profile(*(_alone(one) if one else None for one in profile))


def is_contextual(checkpoint: Checkpoint | None) -> bool:
    """Tell whether a checkpoint reads the chunks of a document together."""
    return checkpoint is not None and checkpoint.window_rule.kind == "context"


def _alone(checkpoint: Checkpoint) -> Checkpoint:
    rule = replace(checkpoint.window_rule, kind="single", separator_id=None)
    return replace(checkpoint, window_rule=rule)


def _untrained(checkpoint: Checkpoint | None) -> ConfigError:
    trained = " or ".join(one.name for one in CATALOGUE.values() if is_contextual(one))
    if checkpoint is None:
        return ConfigError(
            "Late chunking needs a dense model that was trained for it, and none is in "
            f"use. Choose one with pplx-local models use: {trained}."
        )
    return ConfigError(
        f"{checkpoint.title} was not trained for late chunking, which would only make "
        "it worse (all-MiniLM-L6-v2 falls from 0.772 to 0.624 on SQuAD). Leave "
        f"--late-chunking out, or use {trained}."
    )
