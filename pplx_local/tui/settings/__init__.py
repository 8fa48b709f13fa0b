"""Settings: what can be set, what it is for, and when a change counts."""

from pplx_local.tui.settings.screen import SettingsScreen

__all__ = ["SettingsScreen"]
