"""The first run: which folders to search in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


class WelcomeScreen(Screen[None]):
    """The first run: which folders to search in."""

    app: PplxLocal
