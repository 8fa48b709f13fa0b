"""Help: every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


class HelpScreen(Screen[None]):
    """Help: every key."""

    app: PplxLocal
