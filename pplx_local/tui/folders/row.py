"""A registered folder and a file of it, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.fitting import at_home, below, both_ends, path_content
from pplx_local.tui.paint import plain
from pplx_local.tui.states import counts_content, state_content, state_sign
from pplx_local.wording.amounts import age_in_words, size_in_words
from pplx_local.wording.working import watching_in_words

if TYPE_CHECKING:
    from pplx_local.records import FileRecord, FolderStatus

FOLDER_HEIGHT = 2
_ROOMY = 60
"""Cells from which there is room for more than a name."""


def folder_lines(folder: FolderStatus, width: int) -> list[Content]:
    """Lay out `path`, when it was looked through, and its files by state."""
    when = plain(
        _when(folder), "$foreground-muted" if folder.reachable else "$text-warning"
    )
    right = when if width >= _ROOMY else Content("")
    name = path_content(at_home(folder.path), width - right.cell_length - 1)
    counts = Content("  ") + counts_content(folder.states)
    how = plain(_how(folder), "$foreground-muted") if width >= _ROOMY else Content("")
    return [both_ends(name, right, width), both_ends(counts, how, width)]


def _when(folder: FolderStatus) -> str:
    if not folder.reachable:
        return "away now"
    return f"looked through {age_in_words(folder.scanned_ns)}"


def _how(folder: FolderStatus) -> str:
    if folder.watching is None:
        return "not watched"
    return "watched" if folder.watching.how == "events" else "looked at now and then"


def about_folder(folder: FolderStatus) -> Content:
    """Say all of it, for a place where it may take several lines."""
    how = watching_in_words(folder.watching) or ", not watched"
    said = f"{at_home(folder.path)}: {_when(folder)}{how}"
    return plain(said, "" if folder.reachable else "$text-warning")


def file_line(file: FileRecord, folder: bytes, width: int) -> list[Content]:
    """Lay out a file's state, its path below its folder, and why or how large it is."""
    if width < _ROOMY:
        head = state_sign(file.state) + " "
        return [head + path_content(below(file.path, folder), width - 2)]
    head = state_content(file.state) + " "
    right = plain(size_in_words(file.size), "$foreground-muted")
    room = width - head.cell_length - right.cell_length - 1
    path = path_content(below(file.path, folder), room)
    if file.reason:
        path += plain(f"  {file.reason}", "italic $foreground-muted")
    return [both_ends(head + path, right, width)]


def about_file(file: FileRecord) -> Content:
    """Say what became of a file, and why."""
    why = f": {file.reason}" if file.reason else ""
    state = file.state.replace("_", " ")
    return plain(f"{at_home(file.path)}: {state}{why}")
