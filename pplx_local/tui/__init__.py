"""The terminal interface: a search box that people leave open all day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pplx_local.tui.easel import Easel
    from pplx_local.tui.memory import Memory

__all__ = ["run"]


def run(home: Path, flags: Mapping[str, str | None] | None = None) -> None:
    """Run the interface of a home until the person quits.

    Args:
        home: Whose index is searched.
        flags: For a daemon that has to be started, such as `{"--device": "cpu"}`.

    Raises:
        Exception: A bug; the terminal is as it was.
    """
    from pplx_local.tui.first_frame import FirstFrame
    from pplx_local.tui.memory import Memory

    memory = Memory(home)
    with FirstFrame(memory) as first:
        from pplx_local.tui.app import PplxLocal

        app = PplxLocal(home, flags, _easel(memory), first)
        app.run()
    if app.failure:
        raise app.failure


def _easel(memory: Memory) -> Easel | str:
    """Ask the terminal about pictures only where they are wanted: it takes a while."""
    from pplx_local.tui.easel import NOT_ASKED, set_up

    return set_up() if memory.has_pictures else NOT_ASKED
