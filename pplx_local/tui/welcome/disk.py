"""What the disk says about folders; slow where it is a network's: see `apart`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pplx_local.wording.visible import HOSTILE, visible

_MOST = 1_000
"""Folders of a folder that are listed; a person types the name of any other."""


class Listing(NamedTuple):
    """The folders in a folder."""

    names: tuple[str, ...]
    n_more: int = 0
    """Left out, since nobody looks through so many."""


def folders_in(folder: Path, *, hidden: bool) -> Listing:
    """List them by name, whatever their case.

    Raises:
        OSError: It cannot be looked into.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _is_shown(entry, hidden)]
    names.sort(key=lambda name: (name.casefold(), name))
    return Listing(tuple(names[:_MOST]), max(0, len(names) - _MOST))


def _is_shown(entry: os.DirEntry[str], hidden: bool) -> bool:
    if entry.name.startswith(".") and not hidden:
        return False
    with suppress(OSError):  # a link that leads nowhere
        return entry.is_dir()
    return False


def completions(typed: str) -> list[str]:
    """Say what a path that is being typed may become: folders, each with its slash.

    Names that a terminal would obey are left out: they can be picked in the tree.
    """
    if typed == "~":
        return ["~/"]
    start, slash, begun = typed.rpartition("/")
    if not slash and not begun:
        return []
    try:
        found = folders_in(typed_path(start + slash), hidden=begun.startswith("."))
    except OSError:
        return []
    return [
        f"{start}{slash}{name}/"
        for name in found.names
        if name.casefold().startswith(begun.casefold()) and not HOSTILE.search(name)
    ]


def typed_path(typed: str) -> Path:
    """Read what a person types as a path: absolute, `~` for their home."""
    path = Path(os.path.normpath(typed.strip() or "."))
    with suppress(RuntimeError):  # ~nobody
        path = path.expanduser()
    return path.absolute()


def chosen(typed: str) -> tuple[Path, str | None]:
    """Read what was typed as a path, and say why it cannot be added; None when it can."""
    path = typed_path(typed)
    return path, _why_not(path)


def _why_not(path: Path) -> str | None:
    shown = visible(str(path))
    try:
        is_there = path.is_dir() or path.is_file()
        if path.is_dir():
            os.scandir(path).close()
    except ValueError:  # a NUL, on older systems
        return f"{shown} is no path"
    except OSError as error:
        return f"{shown} cannot be read: {error.strerror}"
    return None if is_there else f"there is no folder {shown}"
