"""From a file and a wish to the program that fulfils it; nothing is started here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from pplx_local.errors import OpenError
from pplx_local.opener.command import Command, Where, Wish, at_part
from pplx_local.opener.editors import any_editor, at_line, chosen_editor, pager_command
from pplx_local.opener.environment import Environment
from pplx_local.opener.sort import Sort, sort_of
from pplx_local.opener.windows import (
    book_command,
    pdf_command,
    reveal_command,
    viewer_command,
)

_AS_SOURCE = (
    "HTML is shown as its source: a browser would run its scripts and fetch what it "
    "points to."
)

_IN_WINDOWS: MappingProxyType[Sort, Callable[[str, Where, Environment], Command]] = (
    MappingProxyType(
        {"pdf": pdf_command, "book": book_command, "viewed": viewer_command}
    )
)


def plan(path: bytes, where: Where, wish: Wish, environment: Environment) -> Command:
    """Plan how a file is shown. It is looked at, but nothing is started.

    Args:
        path: Absolute, or else below the working folder.
        where: What is known of the place; what does not suit the file is left out.
        wish: An editor and a pager take text alone.
        environment: What there is to open it with.

    Raises:
        OpenError: The file is gone or cannot be read, or nothing here can show it.
    """
    # Absolute, so that no program takes a name that begins with "-" for an option.
    file = Path(os.fsdecode(path)).absolute()
    return plan_for(sort_of(file), str(file), where, wish, environment)


def plan_for(
    sort: Sort, path: str, where: Where, wish: Wish, environment: Environment
) -> Command:
    """Plan how a file of a known sort is shown; touches nothing.

    Raises:
        OpenError: Nothing here can show it.
    """
    if wish == "reveal" or sort == "folder":
        return reveal_command(path, environment)
    if sort in ("text", "html", "source"):
        return _text_command(sort, path, where, wish, environment)
    if wish != "open":
        raise OpenError(f"{path} is no text that {_reader(wish)} could show. Open it.")
    if viewer := _IN_WINDOWS.get(sort):
        return viewer(path, where, environment)
    why = (
        "may hold macros"
        if sort == "macros"
        else "is of no type to be opened from here"
    )
    return _with(
        reveal_command(path, environment), f"{path} {why}, so its folder is shown."
    )


def _text_command(
    sort: Sort, path: str, where: Where, wish: Wish, environment: Environment
) -> Command:
    if sort == "text":
        return _reading(path, where, wish, environment)
    # Lines are counted in the text that a browser would show, not in the source.
    command = _reading(path, Where(), wish, environment)
    as_source = [_AS_SOURCE] if sort == "html" and wish == "open" else []
    return _with(command, *as_source, *_told(where))


def _told(where: Where) -> tuple[str, ...]:
    """Say where in the text the place is, by its part if it has one."""
    if where.part is not None:
        return (at_part(where.part),)
    return () if where.line is None else (at_line(where, of=" of its text"),)


def _reading(path: str, where: Where, wish: Wish, environment: Environment) -> Command:
    if wish == "edit":
        return any_editor(environment).command(path, where)
    if wish == "page":
        return pager_command(path, where, environment)
    editor, remarks = chosen_editor(environment)
    if editor:
        return editor.command(path, where)
    return _with(pager_command(path, where, environment), *remarks)


def _with(command: Command, *remarks: str) -> Command:
    said = (*remarks, *([command.notice] if command.notice else []))
    return command._replace(notice=" ".join(said) or None)


def _reader(wish: Wish) -> str:
    return "an editor" if wish == "edit" else "a pager"
