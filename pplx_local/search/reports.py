"""What each leg did for an answer, or why it did nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pplx_local.records import Leg, LegReport, Mode, Role
from pplx_local.search.clock import Clock
from pplx_local.search.spaces import SearchSpace
from pplx_local.store import Store

_LEGS: tuple[Leg, ...] = ("lexical", "dense", "late")


def reports(
    store: Store,
    spaces: Mapping[Role, SearchSpace],
    ran: Collection[Leg],
    reasons: Mapping[Leg, str],
    clock: Clock,
) -> dict[Leg, LegReport]:
    """Report on all legs.

    Args:
        store: Tells how much of it a space covers.
        spaces: That were searched.
        ran: Legs that scored something.
        reasons: Why others did not.
        clock: How long they took.
    """
    return {
        leg: LegReport(
            ran=leg in ran,
            coverage=_coverage(store, spaces, leg),
            ms=clock.ms.get(leg, 0.0),
            reason=None if leg in ran else reasons[leg],
        )
        for leg in _LEGS
    }


def reasons(
    mode: Mode,
    spaces: Collection[Role],
    failed: Mapping[Role, str],
    missing: Mapping[Role, str],
) -> dict[Leg, str]:
    """Say for each leg why it would not have run.

    Args:
        mode: That was asked for.
        spaces: Roles that can be searched.
        failed: Why some of those could not this time.
        missing: Why roles cannot be searched.
    """
    if mode == "lexical":
        return dict.fromkeys(_LEGS, "not asked for")
    why: dict[Leg, str] = {"lexical": "the query has nothing to encode"}
    roles: tuple[Role, ...] = ("dense", "late")
    for role in roles:
        if role in spaces:
            why[role] = failed.get(role, "the query has nothing to encode")
        else:
            why[role] = missing.get(role, "the profile has no such space")
    return why


def _coverage(store: Store, spaces: Mapping[Role, SearchSpace], leg: Leg) -> float:
    if leg == "lexical":
        return 1.0
    space = spaces.get(leg)
    return store.coverage(space.space) if space else 0.0
