"""Paths that a person types, against the folders that are registered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pplx_local.errors import FolderError


def absolute(path: Path) -> Path:
    """Make a path absolute without following links."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  resolve() would


def readable(path: Path) -> Path:
    """Follow a path to a file or folder that can be read.

    Raises:
        FolderError: It leads nowhere, in a circle, to a device or a pipe, or to what
            may not be read.
    """
    try:
        resolved = path.expanduser().resolve(strict=True)
    except FileNotFoundError as error:
        raise FolderError(f"There is nothing at {path}.") from error
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}.") from error
    except RuntimeError as error:
        raise FolderError(f"{path} leads in a circle of symbolic links.") from error
    if not (resolved.is_dir() or resolved.is_file()):
        raise FolderError(f"{path} is neither a folder nor a file with text in it.")
    mode = os.R_OK | os.X_OK if resolved.is_dir() else os.R_OK
    if not os.access(resolved, mode):
        raise FolderError(f"{path} cannot be read: permission denied.")
    return resolved


def followed(path: Path) -> Path:
    """Follow links as far as they lead; a circle of links leads nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def in_folders(path: Path, folders: Sequence[bytes]) -> tuple[Path, bytes] | None:
    """Find a path and its folder among those registered, whatever links lead there.

    A link that lies in a folder itself is taken for what it is.
    """
    for one in (path, followed(path.parent) / path.name, followed(path)):
        for folder in folders:
            if lies_in(os.fsencode(one), folder):
                return one, folder
    return None


def lies_in(path: bytes, folder: bytes) -> bool:
    """Tell whether a path is a folder or lies under it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def not_registered(path: Path, folders: Sequence[bytes]) -> str:
    """Say that a path lies in none of the folders, and which one may be meant."""
    near = get_close_matches(str(path), map(os.fsdecode, folders), n=1)
    hint = f" Did you mean {near[0]}?" if near else f" To add it: pplx-local add {path}"
    return f"{path} is not in a registered folder.{hint}"
