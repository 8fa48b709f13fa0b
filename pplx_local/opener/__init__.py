"""Opening what was found: at the line or page, and only what is safe to open."""

from pplx_local.opener.clipboard import clipboard_program, copy
from pplx_local.opener.command import Command, Where, Wish, page_of
from pplx_local.opener.doing import run, spawn
from pplx_local.opener.environment import Environment
from pplx_local.opener.planning import plan

__all__ = [
    "Command",
    "Environment",
    "Where",
    "Wish",
    "clipboard_program",
    "copy",
    "page_of",
    "plan",
    "run",
    "spawn",
]
