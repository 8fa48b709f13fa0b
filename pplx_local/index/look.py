"""Single looks at the disk: is it there, would a walk come upon it, can it be judged?"""

from __future__ import annotations

import os
import stat

from pplx_local.config import Settings
from pplx_local.documents import kind_of
from pplx_local.records import FileRecord, FolderRecord, State
from pplx_local.watch import Denied, Found, Rules, true_path, walk

Identity = tuple[int, int, int]


def rules_of(folder: bytes, settings: Settings) -> Rules:
    """Give the rules of a registered folder, by the settings of a person."""
    return Rules(folder, hidden=settings.hidden, ignore_files=settings.ignore_files)


def own_files(settings: Settings) -> bytes:
    """Give what the paths of our own files begin with: they are no documents."""
    return os.fsencode(settings.home.resolve()) + b"/"


def why_skipped(found: Found, settings: Settings) -> str | None:
    """Say why a file is not read: by a rule, for its kind or for its size."""
    if reason := found.skip or kind_of(found.path).reason:
        return reason
    most = settings.max_file_bytes
    if found.size > most:
        return f"longer than {most:,} bytes (the setting max_file_bytes)"
    return None


def look_at(path: bytes) -> Found | Denied | None:
    """Look at one file as a walk does; None where there is none, or a folder."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # the walk finds the words for it
    return next(walk(path), None)


def is_walked(path: bytes, rules: Rules) -> bool:
    """Tell whether a walk of a registered folder would come upon a path in it.

    It would not where a rule passes over a folder on the way, where a link is on the
    way, or where the disk spells a name otherwise.
    """
    way = _between(path, rules.folder)
    parents = way[1:]
    folders = way if _is_folder(path) else parents
    return (
        all(map(_is_folder, parents))
        and all(true_path(one) == one for one in way)
        and (not folders or rules.why(folders[0], is_folder=True) is None)
    )


def was_never_read(file: FileRecord | None) -> bool:
    """Tell whether a file is new."""
    return file is None or (file.state == "pending" and file.document_id is None)


def identity(file: FileRecord | Found) -> Identity:
    """Give what shows that a file changed; devices change at a restart."""
    return file.inode, file.size, file.mtime_ns


def record_of(
    folder: FolderRecord, found: Found, state: State, reason: str
) -> FileRecord:
    """Make the record of a file that was seen and not read."""
    return FileRecord(
        path=found.path,
        folder_id=folder.folder_id,
        device=found.device,
        inode=found.inode,
        size=found.size,
        mtime_ns=found.mtime_ns,
        digest=None,
        state=state,
        reason=reason,
    )


def denied_record(folder: FolderRecord, denied: Denied) -> FileRecord:
    """Make the record of what could not be looked at."""
    nothing = Found(denied.path, device=0, inode=0, size=0, mtime_ns=0)
    return record_of(folder, nothing, "failed", denied.reason)


def why_unreachable(folder: FolderRecord, *, has_files: bool) -> str | None:
    """Say why a folder's files cannot be judged now; None when they can.

    An empty folder on another device than before is where a volume used to be. A link
    in its place may lead to the same files, or to others.
    """
    try:
        status = os.lstat(folder.path)
        if stat.S_ISLNK(status.st_mode) and has_files:
            return (
                "a symbolic link is there now; to follow it, remove and add the folder"
            )
        if not stat.S_ISDIR(status.st_mode):
            return None
        with os.scandir(folder.path) as entries:
            is_empty = next(entries, None) is None
    except OSError as error:
        return f"cannot be reached: {error.strerror}"
    if is_empty and has_files and status.st_dev != folder.device:
        return "the volume is not mounted"
    return None


def _between(path: bytes, folder: bytes) -> list[bytes]:
    """List a path and the folders on its way below `folder`, the last first."""
    found = []
    while len(path) > len(folder):
        found.append(path)
        path = os.path.dirname(path)  # noqa: PTH120  paths are bytes
    return found


def _is_folder(path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
