"""Whose vectors answer, also while the model is being changed.

None of this is written down. It follows from the spaces that the store holds and from
how many documents each of them lacks, so no kill can leave it wrong.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.errors import FingerprintMismatch
from pplx_local.models import (
    CATALOGUE,
    Checkpoint,
    Profile,
    as_set,
    find,
    space_spec,
)
from pplx_local.records import Role, SpaceSpec
from pplx_local.store import Backlog, Space, Store

_NOT_MADE = 0
"""The number of a space without tables; those that have some count from 1."""


@dataclass(frozen=True, slots=True)
class Held:
    """A space whose checkpoint is on this computer."""

    space: Space
    checkpoint: Checkpoint
    model_dir: Path

    @property
    def is_made(self) -> bool:
        """Whether it has tables; without them it lacks everything."""
        return self.space.space_id != _NOT_MADE


def choose_serving(
    wanted: Mapping[Role, Held | None],
    old: Sequence[Held],
    lacking: Callable[[Held], int],
) -> dict[Role, Held]:
    """Choose the spaces that answer.

    The wanted ones do as soon as no other lacks fewer documents than they; until then
    the fullest old one of each role does. Of a role that only the wanted profile has,
    its space does when it has caught up by itself.

    Args:
        wanted: The profile, by role; None where its checkpoint is not here.
        old: Spaces of other checkpoints, the oldest first.
        lacking: Counts the visible documents that a space lacks. Not asked where there
            is nothing to choose.

    Returns:
        By role, those of the wanted profile first: what is embedded in this order never
        leaves them behind the old ones.
    """
    here = {role: held for role, held in wanted.items() if held}
    if not wanted or not old:
        return here
    n_lacking = [lacking(held) for held in old]
    fewest = min(n_lacking)
    caught_up = {role: held for role, held in here.items() if lacking(held) <= fewest}
    if caught_up.keys() == wanted.keys():
        return here
    ranked = sorted(range(len(old)), key=lambda i: (n_lacking[i], i))
    fullest = {old[i].space.spec.role: old[i] for i in reversed(ranked)}
    return caught_up | fullest


class ProfileSpaces:
    """The spaces of a store, as the profile that is wanted sees them."""

    def __init__(self, store: Store, settings: Settings, profile: Profile) -> None:
        """Bind; the store and the disk are asked anew each time."""
        self._store, self._settings = store, settings
        self.home = settings.home
        self._follows_disk = settings.model.strip().casefold() == "auto"
        self._specs: dict[tuple[str, Role, Path], SpaceSpec] = {}
        self._seen: dict[str, Path | None] | None = None
        """Where checkpoints were found, by name; None to look each time."""
        self.profile = profile

    def as_of_now(self) -> ProfileSpaces:
        """Give the same, with one look at the disk for each checkpoint."""
        now = copy(self)
        now._seen = {}
        return now

    def wanted(self) -> dict[Role, Held | None]:
        """Give the profile's spaces; None where the checkpoint is not here."""
        made = {space.spec.fingerprint: space for space in self._store.spaces()}
        wanted: dict[Role, Held | None] = {}
        for role, checkpoint in self._roles():
            model_dir = self._find(checkpoint)
            if model_dir is None:
                wanted[role] = None
                continue
            spec = self._spec(checkpoint, role, model_dir)
            space = made.get(spec.fingerprint, Space(_NOT_MADE, spec))
            wanted[role] = Held(space, checkpoint, model_dir)
        return wanted

    def wanted_here(self) -> list[Held]:
        """Give those of the profile's spaces whose checkpoint is here."""
        return _here(self.wanted())

    def serving(self) -> dict[Role, Held]:
        """Choose the spaces that answer; one of them may have no tables yet."""
        return self._choose()[1]

    def is_changing(self) -> bool:
        """Tell whether old spaces answer because the wanted ones cannot yet."""
        wanted, serving = self._choose()
        return not _numbers(serving.values()) <= _numbers(_here(wanted))

    def outdated(self) -> list[Space]:
        """List the spaces that are of no use once the wanted ones are full.

        Where the best model here is taken, one that is away may come back: it lies on
        a volume, perhaps.
        """
        wanted = _numbers(self.wanted_here())
        return [
            space
            for space in self._store.spaces()
            if space.space_id not in wanted
            and not (self._follows_disk and self._is_away(space.spec))
        ]

    def of_use(self) -> list[Space]:
        """List the spaces that answer, or would again for a model that is away."""
        wanted = _numbers(self.wanted_here())
        return [
            space
            for space in self._store.spaces()
            if space.space_id in wanted
            or self._held(space)
            or self._is_away(space.spec)
        ]

    def is_waiting(self) -> bool:
        """Tell whether nothing can be embedded until a model is back."""
        wanted, spaces = self.wanted(), self._store.spaces()
        if _here(wanted) or not spaces:
            return False
        away = any(self._is_away(space.spec) for space in spaces)
        return bool(wanted) or (self._follows_disk and away)

    def lacking(self, held: Held) -> int:
        """Count the visible documents that a space lacks."""
        return self.backlog([held]).documents

    def backlog(self, held: Iterable[Held]) -> Backlog:
        """Count what any of these spaces lacks: documents and characters."""
        return self._store.count_unencoded([one.space for one in held])

    def lengths(self, held: Iterable[Held]) -> list[int]:
        """List the lengths of the documents that any of these spaces lacks."""
        return self._store.unencoded_lengths([one.space for one in held])

    def make_wanted(self) -> dict[Role, str]:
        """Make the tables of the profile's spaces, but of those that `mismatched` names.

        Returns:
            What `mismatched` does.
        """
        mismatched = self.mismatched()
        for held in self.wanted_here():
            if held.space.spec.role not in mismatched:
                self._store.open_space(held.space.spec)
        return mismatched

    def mismatched(self) -> dict[Role, str]:
        """Say whose vectors were made by other rules than today's, and what mends it.

        They are neither searched nor added to; everything else goes on.
        """
        found: dict[Role, str] = {}
        for held in self.wanted_here():
            try:
                self._store.open_space(held.space.spec, create=False)
            except FingerprintMismatch:
                # Which rules differ tells a person nothing; `doctor` says it.
                found[held.space.spec.role] = _outdated(held, self._settings)
        return found

    def drop(self, spaces: Sequence[Space]) -> None:
        """Drop spaces, all or none: a half of them would be taken for the fullest."""
        with self._store.transaction():
            for space in spaces:
                self._store.drop_space(space)

    def _roles(self) -> Iterator[tuple[Role, Checkpoint]]:
        if self.profile.dense:
            yield "dense", self.profile.dense
        if self.profile.late:
            yield "late", self.profile.late

    def _choose(self) -> tuple[dict[Role, Held | None], dict[Role, Held]]:
        """Give the wanted spaces, and those that answer."""
        wanted = self.wanted()
        known = _numbers(_here(wanted))
        others = [s for s in self._store.spaces() if s.space_id not in known]
        old = [held for space in others if (held := self._held(space))]
        return wanted, choose_serving(wanted, old, self.lacking)

    def _held(self, space: Space) -> Held | None:
        """Find the checkpoint of a space, if it is here and its rules are the same."""
        spec = space.spec
        known = CATALOGUE.get(spec.checkpoint)
        checkpoint = as_set(known, self._settings) if known else None
        model_dir = self._find(checkpoint) if checkpoint else None
        if checkpoint is None or model_dir is None or spec.role not in checkpoint.roles:
            return None
        today = self._spec(checkpoint, spec.role, model_dir)
        same = today.fingerprint == spec.fingerprint
        return Held(space, checkpoint, model_dir) if same else None

    def _find(self, checkpoint: Checkpoint) -> Path | None:
        if self._seen is None:
            return find(checkpoint, self.home)
        if checkpoint.name not in self._seen:
            self._seen[checkpoint.name] = find(checkpoint, self.home)
        return self._seen[checkpoint.name]

    def _spec(self, checkpoint: Checkpoint, role: Role, model_dir: Path) -> SpaceSpec:
        key = checkpoint.name, role, model_dir
        if key not in self._specs:  # files without a known digest are read for it
            self._specs[key] = space_spec(checkpoint, role, model_dir)
        return self._specs[key]

    def _is_away(self, spec: SpaceSpec) -> bool:
        wanted = {checkpoint.name: checkpoint for _, checkpoint in self._roles()}
        checkpoint = wanted.get(spec.checkpoint) or CATALOGUE.get(spec.checkpoint)
        return checkpoint is not None and self._find(checkpoint) is None


def how_to_rebuild(settings: Settings) -> str:
    """Say what mends vectors that were made by other rules."""
    return (
        f"To make them anew: pplx-local models use {shlex.quote(settings.model)}, "
        "then pplx-local update"
    )


def _outdated(held: Held, settings: Settings) -> str:
    return (
        f"The vectors of {held.checkpoint.name} were made by an older version of "
        "pplx-local, or by other settings, and cannot answer. "
        f"{how_to_rebuild(settings)}"
    )


def names(held: Iterable[Held]) -> str:
    """Say whose spaces they are: `a`, `a and b`."""
    return " and ".join(dict.fromkeys(one.checkpoint.name for one in held))


def checkpoints_of(spaces: Iterable[Space]) -> list[str]:
    """Name the checkpoints that made the vectors of spaces."""
    return sorted({space.spec.checkpoint for space in spaces})


def _here(wanted: Mapping[Role, Held | None]) -> list[Held]:
    return [held for held in wanted.values() if held]


def _numbers(held: Iterable[Held]) -> set[int]:
    return {one.space.space_id for one in held}
