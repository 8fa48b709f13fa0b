"""What the index holds, counted."""

from __future__ import annotations

from pplx_local.config import Settings
from pplx_local.index.look import why_unreachable
from pplx_local.index.serving import ProfileSpaces
from pplx_local.models import Profile
from pplx_local.records import (
    FolderRecord,
    FolderStatus,
    Leg,
    ModelChange,
    Role,
    Status,
)
from pplx_local.store import Store

_ROLES: tuple[Role, ...] = ("dense", "late")


def status_of(store: Store, settings: Settings, spaces: ProfileSpaces) -> Status:
    """Count files, documents, chunks, bytes and coverage."""
    folders = store.folders()
    walks = [folder.scanned_ns for folder in folders]
    return Status(
        home=str(settings.home),
        schema_version=store.schema_version,
        folders=tuple(_folder_status(store, folder) for folder in folders),
        states=store.count_states(),
        documents=store.count_documents(),
        hidden_documents=store.count_documents(hidden=True),
        chunks=store.count_chunks(),
        profile=serving_names(spaces),
        coverage=_coverage(store, spaces),
        bytes_by_part=store.bytes_by_part(),
        fresh_as_of_ns=min(filter(None, walks)) if all(walks) and walks else None,
        change=_change(store, spaces),
        queue=store.queue(),
        outdated=spaces.mismatched(),
    )


def profile_names(profile: Profile) -> dict[Role, str | None]:
    """Name the checkpoints of a profile by role."""
    pairs = zip(_ROLES, profile, strict=True)
    return {role: checkpoint.name if checkpoint else None for role, checkpoint in pairs}


def serving_names(spaces: ProfileSpaces) -> dict[Role, str | None]:
    """Name the checkpoints that answer: the profile's, or old ones during a change."""
    if not spaces.is_changing():
        return profile_names(spaces.profile)
    serving = spaces.serving()
    return {
        role: serving[role].checkpoint.name if role in serving else None
        for role in _ROLES
    }


def _folder_status(store: Store, folder: FolderRecord) -> FolderStatus:
    states = store.count_states(folder.folder_id)
    return FolderStatus(
        path=folder.path,
        reachable=why_unreachable(folder, has_files=bool(states)) is None,
        scanned_ns=folder.scanned_ns,
        states=states,
    )


def _coverage(store: Store, spaces: ProfileSpaces) -> dict[Leg, float]:
    coverage: dict[Leg, float] = {"lexical": 1.0, "dense": 0.0, "late": 0.0}
    for role, held in spaces.serving().items():
        coverage[role] = store.coverage(held.space)
    return coverage


def _change(store: Store, spaces: ProfileSpaces) -> ModelChange | None:
    if not spaces.is_changing():
        return None
    n_documents = store.count_documents()
    return ModelChange(
        profile=profile_names(spaces.profile),
        embedded={
            role: n_documents - spaces.lacking(held) if held else 0
            for role, held in spaces.wanted().items()
        },
        documents=n_documents,
    )
