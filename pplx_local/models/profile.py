"""The checkpoints that the settings ask for, with the rules that they change."""

from __future__ import annotations

from dataclasses import replace

from pplx_local.config import Settings
from pplx_local.models.catalogue import Checkpoint, Profile
from pplx_local.models.files import resolve


def profile_of(settings: Settings) -> Profile:
    """Choose the checkpoints that the settings ask for.

    Raises:
        ModelError: There is no checkpoint of a name, or two serve the same leg.
    """
    found = resolve(settings.model, settings.home)
    return Profile(*(as_set(one, settings) if one else None for one in found))


def as_set(checkpoint: Checkpoint, settings: Settings) -> Checkpoint:
    """Give a checkpoint the window rule that the settings ask for."""
    rule = checkpoint.window_rule
    if rule.kind == "context":
        rule = replace(rule, limit=settings.window_tokens)
    if rule.expansion_id is not None:
        rule = replace(rule, prefix_position=settings.prefix_position)
    return replace(checkpoint, window_rule=rule)
