"""Folders: what is in them, and noticing when that changes."""

from pplx_local.watch.file_systems import FileSystem, file_system_of
from pplx_local.watch.rules import ignored, why_ignored
from pplx_local.watch.walking import Denied, Found, true_path, walk
from pplx_local.watch.watcher import Due, Watcher

__all__ = [
    "Denied",
    "Due",
    "FileSystem",
    "Found",
    "Watcher",
    "file_system_of",
    "ignored",
    "true_path",
    "walk",
    "why_ignored",
]
