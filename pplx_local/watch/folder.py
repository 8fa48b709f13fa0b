"""One registered folder: how its changes are noticed, and when it is walked."""

from __future__ import annotations

import errno
import math
import os
import stat
from pathlib import Path
from typing import NamedTuple

from pplx_local.records import Watching
from pplx_local.watch.hints import Hints
from pplx_local.watch.source import Ear

PERIOD_S = 900.0
"""Between whole walks of a folder with events; the longest between two polls too."""
_SHORTEST_POLL_S = 30.0
_POLL_SHARE = 50
"""A polled folder is being walked for one part in so many of the time."""

_SYSCTLS = Path("/proc/sys")
_LIMITS = {
    errno.ENOSPC: ("watched folders", "fs.inotify.max_user_watches", 524_288),
    errno.EMFILE: ("programs that watch", "fs.inotify.max_user_instances", 512),
}
"""What there is too much of, the setting, and a value that suffices for most."""


class Identity(NamedTuple):
    """What is watched for a registered path."""

    is_folder: bool
    device: int
    inode: int
    """Of the folder; of the one around it for a file, or for nothing at all."""


class Folder:
    """What is known of a registered folder, or of a registered file.

    Attributes:
        root: Its path.
        hints: What was heard of it.
        ear: Listens to it; None where it is polled.
        identity: Of what `ear` listens to; None where nothing is there.
        listened_at: When listening to all of it was last begun or mended.
        retry_at: When listening is tried again though the system refused.
        walk_at: When it is due for a whole walk.
    """

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.hints = Hints(root)
        self.ear: Ear | None = None
        self.identity: Identity | None = None
        self.listened_at = -math.inf
        self.retry_at = math.inf
        self.walk_at = math.inf
        self._is_walking = False
        self._walk_s = 0.0
        self._why_polled: str | None = None

    def listen(self, ear: Ear) -> None:
        """Rely on events."""
        self.ear, self._why_polled, self.retry_at = ear, None, math.inf

    def poll(self, why: str, *, retry_at: float = math.inf) -> None:
        """Rely on walks."""
        self.ear, self._why_polled, self.retry_at = None, why, retry_at

    def stop(self) -> None:
        """Give back what its ear holds."""
        if self.ear:
            self.ear.stop()
            self.ear = None

    def ask_for_walk(self, now: float) -> None:
        """Make a whole walk due, even while one is under way."""
        self.walk_at, self._is_walking = now, False

    def begin_walk(self, now: float) -> None:
        """Take note that one is about to begin."""
        self.walk_at, self._is_walking = now + PERIOD_S, True

    def end_walk(self, now: float, seconds: float) -> None:
        """Take note that it ended, and of how long it took."""
        self._walk_s = seconds
        if self._is_walking:
            self.walk_at, self._is_walking = now + self._interval_s(), False

    def watching(self) -> Watching:
        """Say how changes are noticed, and why not by events."""
        if self._why_polled is None:
            return Watching("events")
        every = f"it is looked through every {self._interval_s():.0f} s instead"
        return Watching("polling", f"{self._why_polled}; {every}")

    def _interval_s(self) -> float:
        if self._why_polled is None:
            return PERIOD_S
        return min(max(_SHORTEST_POLL_S, _POLL_SHARE * self._walk_s), PERIOD_S)


def identity_of(root: bytes) -> Identity | None:
    """Look at what there is to watch for a registered path; None for nothing."""
    for path in (root, root.rpartition(b"/")[0] or b"/"):
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            return Identity(path == root, status.st_dev, status.st_ino)
    return None


def why_refused(error: OSError) -> str:
    """Say why the system does not tell of changes, and what helps."""
    limit = _LIMITS.get(error.errno or 0)
    if limit is None or not (_SYSCTLS / "fs/inotify").exists():
        return f"the system does not tell of changes in it ({error.strerror})"
    what, setting, plenty = limit
    now = int((_SYSCTLS / setting.replace(".", "/")).read_text())
    return (
        f"this user's limit of {what} is reached ({setting} is {now}; to raise it:"
        f" sudo sysctl {setting}={max(plenty, 2 * now)})"
    )
