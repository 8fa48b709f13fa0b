"""macOS, and systems other than Linux: the observer that watchdog has for them.

FSEvents tells of everything below a folder and needs no watch for each, so that the
rules are applied to what it tells.
"""

from __future__ import annotations

import os

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from pplx_local.watch.ignore_files import NAMES
from pplx_local.watch.judging import Rules
from pplx_local.watch.source import Tell

# Not: opened, closed without writing (our own reads) and folders modified.
_KINDS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


class Native:
    """Listens with watchdog's observer for this system; each folder has its own.

    In one observer two files of the same folder would share a watch, and end together.
    """

    def listen(self, rules: Rules, tell: Tell, *, is_folder: bool) -> Listener:
        """Listen to a folder with all below it, or to one name in its folder."""
        return Listener(rules, tell, is_folder=is_folder)

    def is_alive(self) -> bool:
        """Nothing is shared that could end."""
        return True

    def close(self) -> None:
        """Nothing is shared that would have to end."""


class Listener(FileSystemEventHandler):
    """Listens to one folder."""

    def __init__(self, rules: Rules, tell: Tell, *, is_folder: bool) -> None:
        """Begin to listen.

        Args:
            rules: Of the folder, or of the file.
            tell: Is told the paths.
            is_folder: False listens for this one name in the folder it lies in.

        Raises:
            OSError: The system refuses.
        """
        self._rules, self._tell, self._is_folder = rules, tell, is_folder
        self._root = root = rules.folder
        self._observer: BaseObserver = Observer()
        self._observer.start()
        top = root if is_folder else (root.rpartition(b"/")[0] or b"/")
        try:
            self._observer.schedule(
                self, os.fsdecode(top), recursive=is_folder, event_filter=_KINDS
            )
        except (OSError, RuntimeError, SystemError) as error:  # FSEvents: the last two
            self.stop()
            raise OSError(getattr(error, "errno", None), str(error)) from error

    def stop(self) -> None:
        """Stop listening."""
        self._observer.stop()
        self._observer.join()

    def is_alive(self) -> bool:
        """Tell whether all its threads run: one ends when the folder itself moves."""
        threads = (self._observer, *self._observer.emitters)
        return all(thread.is_alive() for thread in threads)

    def mend(self) -> bool:
        """Tell whether it is well; what has ended cannot be mended."""
        self._rules.forget()  # some ignore files lie outside, and are not heard of
        return self.is_alive()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Take an event; called by watchdog."""
        for path in (event.src_path, event.dest_path):
            if path:
                self._hear(os.fsencode(path), is_folder=event.is_directory)

    def _hear(self, path: bytes, *, is_folder: bool) -> None:
        if not self._is_folder:
            if path == self._root:
                self._tell(path)
        elif not path.startswith(self._root.rstrip(b"/") + b"/"):
            self._tell(self._root)  # itself, or spelled in another form of its letters
        elif not self._is_passed_over(path, is_folder=is_folder):
            self._tell(path)

    def _is_passed_over(self, path: bytes, *, is_folder: bool) -> bool:
        is_ignore_file = path.rpartition(b"/")[2] in NAMES
        if is_ignore_file or is_folder:
            self._rules.forget()
        if is_ignore_file:
            return isinstance(self._rules.beside(path), str)
        return self._rules.why(path, is_folder=is_folder) is not None
