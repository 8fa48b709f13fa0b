"""Folders: what is watched, and what became of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


class FoldersScreen(Screen[None]):
    """Folders: what is watched, and what became of its files."""

    app: PplxLocal
