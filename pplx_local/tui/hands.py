"""What is done with hits: opened where they lie, shown in their folder, copied."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.app import SuspendNotSupported

from pplx_local.errors import OpenError, PplxLocalError
from pplx_local.tui.apart import apart
from pplx_local.wording.amounts import count
from pplx_local.wording.excerpt import excerpt
from pplx_local.wording.place import outer_part

if TYPE_CHECKING:
    from pplx_local.answer import Hit
    from pplx_local.opener import Command, Wish
    from pplx_local.tui.app import PplxLocal

Part = Literal["path", "place", "passage"]
"""Of a hit, to be copied."""

_NEAR_CHARS = 240
"""Of a passage, around the words that matched: there is what an editor goes to."""


async def show(app: PplxLocal, hits: Sequence[Hit], wish: Wish) -> None:
    """Open hits one after another; what cannot be opened is told, and the rest is."""
    for hit in hits:
        try:
            command = await apart(partial(_planned, hit, wish))
            _start(app, command)
        except PplxLocalError as error:
            app.tell(error)


def _planned(hit: Hit, wish: Wish) -> Command:
    from pplx_local.opener import Environment, Where, chapter_of, page_of, plan

    best = excerpt(hit, _NEAR_CHARS)
    where = Where(
        *(best.line, best.column, page_of(hit.place), chapter_of(hit.place)),
        part=outer_part(hit.place) or None,
    )
    return plan(hit.path, where, wish, Environment.here())


def _start(app: PplxLocal, command: Command) -> None:
    from pplx_local.opener import run, spawn

    if command.in_terminal:
        _lend_terminal(app, partial(run, command))
    else:
        spawn(command, partial(app.call_from_thread, app.tell))
    app.remark(command.notice or f"Opened with {command.program}.")


def _lend_terminal(app: PplxLocal, run: partial[None]) -> None:
    try:
        with app.suspend():
            run()
    except SuspendNotSupported as error:
        raise OpenError(
            "This terminal cannot be lent to another program. Copy the path instead, "
            "and open it elsewhere."
        ) from error


# --- copying -----------------------------------------------------------------


def path_of(hit: Hit) -> str:
    """Give the path of a hit, as a shell takes it."""
    return os.fsdecode(hit.path)


def place_of(hit: Hit) -> str:
    """Give `path:line`, which editors and people understand."""
    return f"{path_of(hit)}:{excerpt(hit, _NEAR_CHARS).line}"


def text_of(hit: Hit) -> str:
    """Give the passage."""
    return hit.text.strip()


_PARTS: dict[Part, Callable[[Hit], str]] = {
    "path": path_of,
    "place": place_of,
    "passage": text_of,
}


async def copy(app: PplxLocal, hits: Sequence[Hit], part: Part) -> None:
    """Put a part of each hit on the clipboard, one below the other.

    Where the system has no program for it, the terminal is asked.
    """
    from pplx_local import opener

    text = "\n".join(map(_PARTS[part], hits))
    if await apart(partial(opener.copy, text, opener.Environment.here())):
        app.remark(f"Copied {count(len(hits), part)}.")
        return
    if any("\ud800" <= char <= "\udfff" for char in text):
        app.tell(
            "The name is not UTF-8, which the terminal's clipboard takes alone. Show "
            "the file in its folder instead (ctrl-o)."
        )
        return
    app.copy_to_clipboard(text)
    app.remark(f"Sent {count(len(hits), part)} to the terminal's clipboard.")
