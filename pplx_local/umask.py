"""What we write is the owner's alone; what a program writes that we open is not ours."""

from __future__ import annotations

import os

_OWNER_ONLY = 0o077
_persons_own: list[int] = []


def restrict() -> None:
    """Write files for their owner alone from now on, whatever the shell says."""
    _persons_own.append(os.umask(_OWNER_ONLY))


def persons_own() -> int:
    """Give the mask that the shell had set, for `subprocess`: -1 where it still is."""
    return _persons_own[0] if _persons_own else -1
