"""Models: which there are, and which one answers."""

from pplx_local.tui.models.screen import ModelsScreen

__all__ = ["ModelsScreen"]
