"""Folders: what is in them, and noticing when that changes."""

from pplx_local.watch.file_systems import FileSystem, file_system_of
from pplx_local.watch.ignore_files import in_short, in_words
from pplx_local.watch.judging import Rules
from pplx_local.watch.walking import Denied, Found, true_path, walk
from pplx_local.watch.watcher import Due, Watcher

__all__ = [
    "Denied",
    "Due",
    "FileSystem",
    "Found",
    "Rules",
    "Watcher",
    "file_system_of",
    "in_short",
    "in_words",
    "true_path",
    "walk",
]
