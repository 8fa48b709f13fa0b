"""What tells of changes: the seam between the watcher and each operating system."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, TypeAlias

from pplx_local.watch.judging import Rules

Tell: TypeAlias = Callable[[bytes], None]
"""Takes a path that something happened to, from any thread. The watched folder itself
stands for: anything may have happened in it."""


class Ear(Protocol):
    """Listens to one folder, or to one file."""

    def is_alive(self) -> bool:
        """Tell whether it has heard everything since it began, and still does."""

    def mend(self) -> bool:
        """Hear everything again from now on; False when it has to begin anew."""

    def stop(self) -> None:
        """Stop listening; harmless when it has ended by itself."""


class Source(Protocol):
    """The events of the operating system."""

    def listen(self, rules: Rules, tell: Tell, *, is_folder: bool) -> Ear:
        """Begin to listen, and hear everything from when this returns.

        Args:
            rules: Of a registered folder, or of a file, which need not be there; for
                the ear alone.
            tell: Is told paths that no rule passes over, and those of ignore files.
            is_folder: Whether it is a folder now.

        Raises:
            OSError: The system refuses; ENOSPC and EMFILE are its limits.
        """

    def is_alive(self) -> bool:
        """Tell whether it can still be used."""

    def close(self) -> None:
        """End all threads and give back what the system lent."""


def open_source() -> Source:
    """Open the source of this operating system.

    Raises:
        OSError: The system refuses; EMFILE is its limit.
    """
    # Here, since a walk alone should not load watchdog (80 ms).
    if sys.platform == "linux":
        from pplx_local.watch.inotify import Inotify

        return Inotify()
    from pplx_local.watch.observer import Native

    return Native()
