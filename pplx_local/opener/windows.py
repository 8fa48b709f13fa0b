"""What is shown in windows: PDF at its page, books, other documents, and folders."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote_from_bytes

from pplx_local.errors import OpenError
from pplx_local.opener.command import Command, Where, at_part
from pplx_local.opener.environment import Environment

_BY_INDEX = ("--page-index={page}", "{path}")
PDF_VIEWERS = MappingProxyType(
    {
        "sioyek": ("--page", "{page}", "{path}"),
        "zathura": ("-P", "{page}", "{path}"),
        "okular": ("--page", "{page}", "{path}"),
        "evince": _BY_INDEX,
        "atril": _BY_INDEX,
        "xreader": _BY_INDEX,
        "mupdf": ("{path}", "{page}"),
    }
)
"""Those that can be told a page, all of which count from 1. First those that somebody
must have chosen; desktops bring the others along."""
_BOOK_VIEWER = "ebook-viewer"
"""Of calibre: it finds a chapter by a part of its title."""
_OPENERS = MappingProxyType({"xdg-open": (), "gio": ("open",)})
_MANAGER = "org.freedesktop.FileManager1"
_OBJECT = "/org/freedesktop/FileManager1"
# `explorer.exe` ends with 1 whatever became of it.
_EXPLORE = 'explorer.exe "/select,$(wslpath -w "$1")" || true'


def pdf_command(path: str, where: Where, environment: Environment) -> Command:
    """Plan how a PDF is shown at its page.

    Raises:
        OpenError: There is no display, or nothing to show it with.
    """
    if where.page is None:
        return viewer_command(path, where, environment)
    if environment.shows_windows:
        if "Skim" in environment.apps:
            url = f"skim://{_quoted(path)}#page={where.page}"
            return Command(("open", "-a", "Skim", url), in_terminal=False)
        if viewer := environment.first(*PDF_VIEWERS):
            form = PDF_VIEWERS[viewer]
            arguments = (part.format(path=path, page=where.page) for part in form)
            return Command((viewer, *arguments), in_terminal=False)
    return viewer_command(path, where, environment)


def book_command(path: str, where: Where, environment: Environment) -> Command:
    """Plan how a book is shown at its chapter.

    Raises:
        OpenError: There is no display, or nothing to show it with.
    """
    can_turn = environment.shows_windows and environment.first(_BOOK_VIEWER)
    if where.chapter is None or not can_turn:
        return viewer_command(path, where, environment)
    argv = (_BOOK_VIEWER, f"--open-at=toc:{where.chapter}", path)
    return Command(argv, in_terminal=False)


def viewer_command(path: str, where: Where, environment: Environment) -> Command:
    """Plan how a document is shown in what the system opens it with.

    Raises:
        OpenError: There is no display, or nothing to show it with.
    """
    argv = (*_opener(path, environment), path)
    return Command(argv, in_terminal=False, notice=_turn(where, argv[0]))


def _turn(where: Where, program: str) -> str | None:
    """Say what to turn to by hand."""
    if where.page is not None:
        return f"Turn to page {where.page}: {program} takes no page."
    return None if where.part is None else at_part(where.part)


def reveal_command(path: str, environment: Environment) -> Command:
    """Plan how a file is shown in its folder.

    Raises:
        OpenError: There is no display, or no file manager.
    """
    if environment.is_wsl and environment.first("wslpath"):
        return Command(("sh", "-c", _EXPLORE, "reveal", path), in_terminal=False)
    opener = _opener(path, environment)
    if environment.is_mac:
        return Command(("open", "-R", path), in_terminal=False)
    folder = (*opener, str(Path(path).parent))
    if bus := environment.first(*_SHOW_ITEMS):
        shown = _SHOW_ITEMS[bus]
        uri = f"file://{_quoted(path)}"
        argv = (bus, *(part.format(uri=uri) for part in shown))
        return Command(argv, in_terminal=False, otherwise=folder)
    return Command(folder, in_terminal=False)


_SHOW_ITEMS = MappingProxyType(
    {
        "gdbus": (
            *("call", "--session", "--dest", _MANAGER, "--object-path", _OBJECT),
            *("--method", f"{_MANAGER}.ShowItems", "['{uri}']", ""),
        ),
        "dbus-send": (
            *("--session", "--print-reply", f"--dest={_MANAGER}", _OBJECT),
            *(f"{_MANAGER}.ShowItems", "array:string:{uri}", "string:"),
        ),
    }
)


def _opener(path: str, environment: Environment) -> tuple[str, ...]:
    """Choose what asks the system which program a document belongs to."""
    if environment.is_wsl and environment.first("wslview"):
        return ("wslview",)
    if not environment.shows_windows:
        raise OpenError(
            f"{path} needs a window, and none can be opened from here, as over ssh. "
            "Copy the path, and open it at the computer itself."
        )
    if environment.is_mac:
        return ("open",)
    if name := environment.first(*_OPENERS):
        return (name, *_OPENERS[name])
    raise OpenError(
        f"There is nothing here to show {path} with. Install xdg-utils, which brings "
        "xdg-open."
    )


def _quoted(path: str) -> str:
    """Write a path for a URL, without a sign that a list or a string would end at."""
    return quote_from_bytes(os.fsencode(path), safe="/")
