"""Opening what was found: at its line, page or chapter, and only what is safe."""

from pplx_local.opener.clipboard import clipboard_program, copy
from pplx_local.opener.command import Command, Where, Wish, chapter_of, page_of
from pplx_local.opener.doing import run, spawn
from pplx_local.opener.environment import Environment
from pplx_local.opener.planning import plan

__all__ = [
    "Command",
    "Environment",
    "Where",
    "Wish",
    "chapter_of",
    "clipboard_program",
    "copy",
    "page_of",
    "plan",
    "run",
    "spawn",
]
