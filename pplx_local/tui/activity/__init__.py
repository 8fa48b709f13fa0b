"""Activity: what is being done, and what went wrong."""

from __future__ import annotations

from pplx_local.tui.activity.screen import ActivityScreen

__all__ = ["ActivityScreen"]
