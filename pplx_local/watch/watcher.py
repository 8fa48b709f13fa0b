"""What is worth a look, of all that the system tells or keeps silent about.

Events are hints. A whole walk is due at the start, whenever events may have been lost,
and from time to time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from pplx_local.records import Watching
from pplx_local.watch.file_systems import file_system_of
from pplx_local.watch.folder import PERIOD_S, Folder, identity_of, why_refused
from pplx_local.watch.ignore_files import NAMES
from pplx_local.watch.judging import Rules
from pplx_local.watch.source import Source, open_source

_CHECK_S = 5.0
"""Between looks at whether the folders themselves are still the same."""
_MEND_S = PERIOD_S / 2
"""After which watches are made complete again, once a walk is due."""
_JUMP_S = 10.0
"""The clocks drift apart by more between two looks only when the computer slept, or
somebody set the time."""


class Due(NamedTuple):
    """What is to be looked at now."""

    paths: tuple[tuple[bytes, bytes], ...]
    """Paths, each with the registered folder it lies in: a file, a folder with all below
    it, or what is there no longer."""
    folders: tuple[bytes, ...]
    """Registered folders that need a whole walk."""


class Watcher:
    """Notices what changes in folders. May be called from any thread."""

    def __init__(
        self,
        wake: Callable[[], None],
        *,
        rules_of: Callable[[bytes], Rules] = Rules,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Start with no folder.

        Args:
            wake: Called, from any thread, when something will be due sooner than
                `wait_s` said last.
            rules_of: Gives the rules of a registered folder.
            clock: Seconds that never go back, and stand still while the computer sleeps.
            wall: The time of day in seconds.
        """
        self._wake, self._clock, self._wall = wake, clock, wall
        self._rules_of = rules_of
        self._folders: dict[bytes, Folder] = {}
        self._source: Source | None = None
        self._check_at = clock() + _CHECK_S
        self._offset = wall() - clock()
        self._promised = math.inf
        # Two, since a thread that brings events must never wait for a disk.
        self._managing = threading.RLock()
        self._hinting = threading.Lock()

    def watch(self, path: bytes) -> Watching:
        """Watch a folder or a single file, and make it due for a whole walk.

        Args:
            path: Absolute, without links; nothing need be there. Watched already, it
                only becomes due.
        """
        with self._managing:
            now = self._clock()
            folder = self._folders.get(path)
            if folder is None:
                folder = self._folders[path] = Folder(path)
                self._listen(folder, now)
            folder.ask_for_walk(now)
        self._wake()
        return folder.watching()

    def forget(self, path: bytes) -> None:
        """Watch it no longer; harmless when it was not."""
        with self._managing:
            if folder := self._folders.pop(path, None):
                folder.stop()

    def judge_anew(self) -> None:
        """Go by what `rules_of` gives now, and make every folder due for a whole walk."""
        with self._managing:
            now = self._clock()
            for folder in self._folders.values():
                self._listen(folder, now)
                folder.ask_for_walk(now)
        self._wake()

    def watching(self) -> dict[bytes, Watching]:
        """Say how changes are noticed, by folder."""
        with self._managing:
            return {path: folder.watching() for path, folder in self._folders.items()}

    def due(self) -> Due:
        """Take out what is due now."""
        paths: list[tuple[bytes, bytes]] = []
        roots: list[bytes] = []
        with self._managing:
            now = self._clock()
            is_check = self._is_check_due(now)
            for root, folder in self._folders.items():
                ready = self._take(folder, now)
                paths += [(path, root) for path in ready if path != root]
                is_walk = root in ready or folder.walk_at <= now
                if is_walk or is_check:
                    self._renew(folder, now, is_walk=is_walk)
                if is_walk:
                    folder.begin_walk(now)
                    roots.append(root)
        with self._hinting:
            self._promised = math.inf
        return Due(tuple(paths), tuple(roots))

    def wait_s(self) -> float:
        """Tell how long `due` will have nothing unless `wake` is called, in seconds."""
        with self._managing, self._hinting:
            folders = self._folders.values()
            walks = (folder.walk_at for folder in folders)
            hints = (folder.hints.next_at() for folder in folders)
            self._promised = min(self._check_at, *walks, *hints, math.inf)
            return max(self._promised - self._clock(), 0.0)

    def walked(self, path: bytes, seconds: float) -> None:
        """Take note that a whole walk ended, whatever came of it.

        Args:
            path: Of the folder.
            seconds: How long it took; a polled folder is polled less often for it.
        """
        with self._managing:
            if folder := self._folders.get(path):
                folder.end_walk(self._clock(), seconds)

    def close(self) -> None:
        """Watch nothing any more."""
        with self._managing:
            for path in list(self._folders):
                self.forget(path)
            if self._source:
                self._source.close()
                self._source = None

    def _is_check_due(self, now: float) -> bool:
        """Tell whether to look at the folders themselves; after a sleep, at all in them."""
        offset = self._wall() - now
        has_jumped = abs(offset - self._offset) > _JUMP_S
        self._offset = offset
        if has_jumped:
            for folder in self._folders.values():
                folder.ask_for_walk(now)
        if now < self._check_at and not has_jumped:
            return False
        self._check_at = now + _CHECK_S
        return True

    def _take(self, folder: Folder, now: float) -> list[bytes]:
        with self._hinting:
            return folder.hints.take(now)

    def _renew(self, folder: Folder, now: float, *, is_walk: bool) -> None:
        """Listen anew where that is needed, before the walk that it makes due.

        A volume that is mounted in the folder makes no event: watches are completed
        from time to time, too.
        """
        is_same = folder.identity == identity_of(folder.root)
        is_well = folder.ear.is_alive() if folder.ear else now < folder.retry_at
        is_old = is_walk and now - folder.listened_at > _MEND_S
        if is_same and is_well and not (is_old and folder.ear):
            return
        if is_same and folder.ear and folder.ear.mend():
            folder.listened_at = now
        else:
            self._listen(folder, now)
        if not is_walk:  # by a hint, so that one that dies at once comes to rest
            self._tell(folder, folder.root)

    def _listen(self, folder: Folder, now: float) -> None:
        folder.stop()
        folder.listened_at = now
        folder.identity = identity_of(folder.root)
        kind, is_remote = file_system_of(folder.root)
        if is_remote:
            folder.poll(f"it lies on {kind}, which does not tell what others change")
        elif folder.identity is None:
            folder.poll("it is not there now")
        else:
            self._listen_to_events(folder, now, is_folder=folder.identity.is_folder)

    def _listen_to_events(self, folder: Folder, now: float, *, is_folder: bool) -> None:
        tell = partial(self._tell, folder)
        try:
            source = self._open_source()
            rules = self._rules_of(folder.root)
            folder.listen(source.listen(rules, tell, is_folder=is_folder))
        except OSError as error:
            folder.poll(why_refused(error), retry_at=now + PERIOD_S)

    def _open_source(self) -> Source:
        if self._source and not self._source.is_alive():
            self._source.close()
            self._source = None
        self._source = self._source or open_source()
        return self._source

    def _tell(self, folder: Folder, path: bytes) -> None:
        around, _, name = path.rpartition(b"/")
        if name in NAMES and path != folder.root:
            path = around or b"/"  # all that it speaks of is to be judged anew
        with self._hinting:
            at = folder.hints.add(path, self._clock())
            is_sooner = at < self._promised
            if is_sooner:
                self._promised = at
        if is_sooner:
            self._wake()
