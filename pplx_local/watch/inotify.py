"""Linux: a watch of the kernel on every folder that the rules let through.

Built on watchdog's reader of inotify and not on its observer, which watches
node_modules and .git too, keeps silent when it runs into the limit of watches, goes on
telling old paths of a folder that was moved out, and holds moves back by half a second.
"""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from pplx_local.watch.ignore_files import NAMES
from pplx_local.watch.judging import Rules
from pplx_local.watch.source import Tell

_MASK = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_CLOSE_WRITE  # a file that was written through a mapping
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_MOVE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_DONT_FOLLOW
)
_LIMITS = {errno.ENOSPC, errno.EMFILE, errno.ENOMEM}
_ids = itertools.count()


class Inotify:
    """One inotify instance, and the thread that waits for what it reports."""

    def __init__(self) -> None:
        self._reader = InotifyFD()
        self._reader.start()

    def listen(self, rules: Rules, tell: Tell, *, is_folder: bool) -> Tree:
        """Watch a folder with all below it, or the one name of a file."""
        tree = Tree(self._reader, rules, tell, is_folder=is_folder)
        try:
            tree.start()
        except OSError:
            tree.stop()
            raise
        return tree

    def is_alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._reader.is_alive()

    def close(self) -> None:
        """Give the instance back."""
        self._reader.stop()
        self._reader.join()


@dataclass(frozen=True, slots=True)
class _Watch:
    path: bytes
    id: CallbackId


class Tree:
    """The watches of one folder. Called back by the thread that reads events."""

    def __init__(
        self, reader: InotifyFD, rules: Rules, tell: Tell, *, is_folder: bool
    ) -> None:
        """Prepare; nothing is watched before `start`.

        Args:
            reader: Of an inotify instance; it runs.
            rules: Of the folder, or of the file.
            tell: Is told the paths.
            is_folder: False watches for this one name in the folder it lies in.
        """
        self._reader, self._rules, self._tell = reader, rules, tell
        self._root, self._is_folder = rules.folder, is_folder
        root = rules.folder
        self._top = root if is_folder else (root.rpartition(b"/")[0] or b"/")
        self._watches: dict[WatchDescriptor, _Watch] = {}
        self._by_path: dict[bytes, WatchDescriptor] = {}
        self._lock = threading.RLock()
        self._is_whole = True

    def start(self) -> None:
        """Watch everything; once more, make up for what was missed.

        Raises:
            OSError: The top cannot be watched, or the watches do not suffice.
        """
        with self._lock:
            self._is_whole = True
            self._watch_again(self._top)

    def mend(self) -> bool:
        """Hear everything again, if the top is still watched.

        Watches that are well are kept: each that is given back makes an event, and many
        would make the queue overflow again.
        """
        if self._top not in self._by_path or not self._reader.is_alive():
            return False
        try:
            self.start()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Give the watches back."""
        with self._lock:
            self._unwatch(list(self._watches))

    def is_alive(self) -> bool:
        """Tell whether no event was lost and the top is still watched."""
        has_top = self._top in self._by_path
        return has_top and self._is_whole and self._reader.is_alive()

    def on_event(self, event: InotifyEvent) -> None:
        """Take an event; called by watchdog."""
        with self._lock:
            watch = self._watches.get(event.wd)
            if watch is None:
                return
            if event.name:
                self._on_entry(_join(watch.path, event.name), event)
            elif watch.path == self._top and (
                event.is_delete_self or event.is_move_self
            ):
                self._tell(self._root)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Take note that the kernel gave a watch up; called by watchdog."""
        with self._lock:
            if watch := self._watches.pop(wd, None):
                self._drop_path(watch.path, wd)

    def on_queue_overflow(self) -> None:
        """Take note that events were lost; called by watchdog."""
        self._is_whole = False
        self._tell(self._root)

    def _on_entry(self, path: bytes, event: InotifyEvent) -> None:
        if not self._is_folder and path != self._root:
            return
        if self._is_folder and not self._is_worth_telling(path, event):
            return
        self._tell(path)

    def _is_worth_telling(self, path: bytes, event: InotifyEvent) -> bool:
        is_folder = event.is_directory
        if event.name in NAMES and not is_folder:
            if not event.is_modify:  # until it is closed
                self._judge_anew(path.rpartition(b"/")[0] or b"/")
            return True
        if is_folder:
            self._rules.forget()
        if self._rules.why(path, is_folder=is_folder):
            return False
        return not is_folder or self._follow(path, event)

    def _follow(self, path: bytes, event: InotifyEvent) -> bool:
        """Watch what came and leave what went; say whether it is worth telling."""
        if event.is_moved_from:
            below = path + b"/"
            moved = self._by_path.items()
            self._unwatch([w for p, w in moved if p == path or p.startswith(below)])
        elif event.is_attrib and path in self._by_path:
            return not os.access(path, os.R_OK | os.X_OK)
        elif not event.is_delete:
            self._watch_new(path)
        return True

    def _watch_new(self, path: bytes) -> None:
        try:
            self._watch_below(path)
        except OSError:  # the limit: whoever listens anew is told
            self.on_queue_overflow()

    def _judge_anew(self, folder: bytes) -> None:
        """Watch what an ignore file passes over no more, and leave what it does now."""
        try:
            self._watch_again(folder)
        except OSError:
            self.on_queue_overflow()

    def _watch_again(self, folder: bytes) -> None:
        """Make the watches of a folder and all below it what the rules ask for."""
        self._rules.forget()
        met = self._watch_below(folder, again=True)
        below = folder.rstrip(b"/") + b"/"
        held = [(watch.path, wd) for wd, watch in self._watches.items()]
        self._unwatch([w for p, w in held if p not in met and p.startswith(below)])

    def _watch_below(self, path: bytes, *, again: bool = False) -> set[bytes]:
        """Watch a folder and then those in it, so that none can slip in between.

        Args:
            path: The folder.
            again: Look into those that are watched already too.

        Returns:
            The folders that were met.
        """
        met: set[bytes] = set()
        ahead = [path]
        while ahead:
            folder = ahead.pop()
            met.add(folder)
            is_new = self._watch(folder)
            if (is_new or again) and self._is_folder:
                ahead += self._folders_in(folder)
        return met

    def _watch(self, path: bytes) -> bool:
        """Watch one folder; say whether it was not watched under this path before."""
        id_ = CallbackId(next(_ids))
        try:
            wd = self._reader.add_callback(path, _MASK, self, id_)
        except OSError as error:
            if path == self._top or error.errno in _LIMITS:
                raise
            return False  # gone again, or its path is too long
        old = self._watches.get(wd)
        if old or wd < 0:  # the same folder again; -1 is one that may not be read
            self._reader.remove_callbacks([(wd, id_)])
        if wd < 0 or (old and old.path == path):
            return False
        if old:  # it was moved, and the event is still to come
            self._drop_path(old.path, wd)
        self._watches[wd] = _Watch(path, old.id if old else id_)
        self._by_path[path] = wd
        return True

    def _unwatch(self, wds: list[WatchDescriptor]) -> None:
        watches = [(wd, self._watches.pop(wd)) for wd in wds]
        for wd, watch in watches:
            self._drop_path(watch.path, wd)
        self._reader.remove_callbacks([(wd, watch.id) for wd, watch in watches])

    def _folders_in(self, path: bytes) -> Iterator[bytes]:
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if is_folder and not self._rules.why(entry.path, is_folder=True):
                        yield entry.path
        except OSError:  # what cannot be read is told by the walk
            return

    def _drop_path(self, path: bytes, wd: WatchDescriptor) -> None:
        if self._by_path.get(path) == wd:  # not when it is a new folder's by now
            del self._by_path[path]


def _join(folder: bytes, name: bytes) -> bytes:
    return folder.rstrip(b"/") + b"/" + name
