"""Settings, and what each is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


class SettingsScreen(Screen[None]):
    """Settings, and what each is for."""

    app: PplxLocal
