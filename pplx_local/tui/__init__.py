"""The terminal interface: a search box that people leave open all day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["run"]


def run(home: Path, flags: Mapping[str, str | None] | None = None) -> None:
    """Run the interface of a home until the person quits.

    Args:
        home: Whose index is searched.
        flags: For a daemon that has to be started, such as `{"--device": "cpu"}`.

    Raises:
        Exception: A bug; the terminal is as it was.
    """
    from pplx_local.tui.app import PplxLocal

    app = PplxLocal(home, flags)
    app.run()
    if app.failure:
        raise app.failure
