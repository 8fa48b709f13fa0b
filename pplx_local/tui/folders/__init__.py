"""Folders: what is watched, and what became of its files."""

from __future__ import annotations

from pplx_local.tui.folders.screen import FoldersScreen

__all__ = ["FoldersScreen"]
