"""What became of one path, in words."""

from __future__ import annotations

import os
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.index.look import rules_of
from pplx_local.index.paths import lies_in, not_registered
from pplx_local.records import FileRecord
from pplx_local.store import Store


def what_became(path: Path, store: Store, settings: Settings) -> str:
    """Say the state of a file and its reason, or why it has none."""
    if record := store.file(os.fsencode(path)):
        return _state(record)
    registered = [folder.path for folder in store.folders()]
    folder = next((f for f in registered if lies_in(os.fsencode(path), f)), None)
    if folder is None:
        return not_registered(path, registered)
    rules = rules_of(folder, settings)
    for part in (*reversed(path.parents), path):
        raw = os.fsencode(part)
        if not lies_in(raw, folder):
            continue
        if record := store.file(raw):  # a folder has one when it cannot be entered
            return f"{part}: {_state(record)}"
        is_folder = part != path or os.path.isdir(part)  # noqa: PTH112  can raise
        if reason := rules.why(raw, is_folder=is_folder):
            return f"skipped: {part}: {reason}"
    if not os.path.lexists(path):
        return "there is no such file"
    return "not seen yet: run pplx-local update"


def _state(record: FileRecord) -> str:
    return f"{record.state}: {record.reason}" if record.reason else record.state
