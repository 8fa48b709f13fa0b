"""Activity: what is being done, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


class ActivityScreen(Screen[None]):
    """Activity: what is being done, and what went wrong."""

    app: PplxLocal
