"""Models: which there are, and which one answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


class ModelsScreen(Screen[None]):
    """Models: which there are, and which one answers."""

    app: PplxLocal
