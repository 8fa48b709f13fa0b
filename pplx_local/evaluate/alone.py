"""What takes part of a profile: one role without the other, or none."""

from __future__ import annotations

from dataclasses import replace

from pplx_local.errors import ConfigError
from pplx_local.evaluate.options import Options
from pplx_local.models import Checkpoint, Profile
from pplx_local.records import Role


def profile_alone(profile: Profile, role: Role | None) -> Profile:
    """Leave a profile one role; all that it has where None is given.

    Raises:
        ConfigError: The profile does not have it.
    """
    if role is None:
        return profile
    kept = profile.dense if role == "dense" else profile.late
    if kept is None:
        raise ConfigError(
            f"The model in use makes no vectors for the {role} leg. Choose one that "
            "does with pplx-local models use, or leave --alone out."
        )
    alone: Checkpoint = replace(kept, roles=(role,))
    return Profile(alone, None) if role == "dense" else Profile(None, alone)


def profile_needed(profile: Profile, options: Options) -> Profile:
    """Leave a profile no model where keywords are all that is asked for."""
    others = options.ablate, options.tokens, options.unanswerable
    if options.modes() != ["lexical"] or any(others) or options.answer_removed:
        return profile
    return Profile(None, None)
