"""Folders: what is in them, and noticing when that changes."""

from pplx_local.watch.rules import ignored, why_ignored
from pplx_local.watch.walking import Denied, Found, true_path, walk

__all__ = [
    "Denied",
    "Found",
    "ignored",
    "true_path",
    "walk",
    "why_ignored",
]
