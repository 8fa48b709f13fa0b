"""The first run, and whenever folders are added: which to search in, at what cost."""

from __future__ import annotations

from pplx_local.tui.welcome.screen import WelcomeScreen

__all__ = ["WelcomeScreen"]
