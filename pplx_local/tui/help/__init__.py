"""Help: every key, how to ask, and what is shown."""

from pplx_local.tui.help.screen import HelpScreen

__all__ = ["HelpScreen"]
