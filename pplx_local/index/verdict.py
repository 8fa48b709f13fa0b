"""What became of one path, in words."""

from __future__ import annotations

import os
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.index.look import rules_of
from pplx_local.index.paths import in_folders, lies_in, not_registered
from pplx_local.records import FileRecord
from pplx_local.store import Store
from pplx_local.watch import Rules, in_words

_MISSING = {
    "pages_without_text": "pages without text:",
    "damaged_parts": "damaged and left out:",
    "damaged_sheets": "damaged and left out:",
}
"""What formats note of a document, in words."""


def what_became(path: Path, store: Store, settings: Settings) -> str:
    """Say the state of a file and its reason, or why it has none."""
    registered = [folder.path for folder in store.folders()]
    found = in_folders(path, registered)
    if found is None:
        return not_registered(path, registered)
    path, folder = found
    if path.is_relative_to(settings.home.resolve()):
        return "skipped: what pplx-local keeps for itself is no document"
    why = _why_passed_over(path, store, rules_of(folder, settings))
    return why or _what_is_there(path, store)


def _why_passed_over(path: Path, store: Store, rules: Rules) -> str | None:
    """Say what is known of a path, or of the first folder above it that is not read."""
    if record := store.file(os.fsencode(path)):
        return _state(record) + _remedy(record, rules) + _what_is_missing(record, store)
    for part in (*reversed(path.parents), path):
        raw = os.fsencode(part)
        if not lies_in(raw, rules.folder):
            continue
        if record := store.file(raw):  # a folder has one when it cannot be entered
            return f"{in_words(raw)}: {_state(record)}"
        is_folder = part != path or os.path.isdir(part)  # noqa: PTH112  can raise
        if reason := rules.why(raw, is_folder=is_folder):
            remedy = rules.remedy(raw, is_folder=is_folder)
            return f"skipped: {in_words(raw)}: {reason}{remedy}"
    return None


def _what_is_missing(record: FileRecord, store: Store) -> str:
    """Say which parts of an indexed file no search can find."""
    if record.state != "indexed" or record.document_id is None:
        return ""
    known = store.metadata(record.document_id)
    found = ((words, known[key]) for key, words in _MISSING.items() if key in known)
    return "".join(f"; {words} {what}" for words, what in found)


def _what_is_there(path: Path, store: Store) -> str:
    states = store.count_states(under=os.fsencode(path))
    if os.path.isdir(path):  # noqa: PTH112  is_dir() can raise
        n_files, n_indexed = sum(states.values()), states.get("indexed", 0)
        return f"a folder: of {n_files:,} files seen in it {n_indexed:,} are indexed"
    if n_away := states.get("unreachable", 0):
        return f"a folder that cannot be reached; what {n_away:,} files said is kept"
    if not os.path.lexists(path):
        return "there is no such file"
    return "not seen yet: run pplx-local update"


def _state(record: FileRecord) -> str:
    if record.reason in (None, record.state):
        return record.state
    return f"{record.state}: {record.reason}"


def _remedy(record: FileRecord, rules: Rules) -> str:
    is_by_rule = record.reason == rules.by_default(record.path, is_folder=False)
    return rules.remedy(record.path, is_folder=False) if is_by_rule else ""
