"""Landlock: how a Linux process gives up the file system, the network and signals.

By system calls of its own, since no library of the standard ones knows them. What an
older kernel does not know is left out: each version (ABI) only adds to the one before.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION: Final = 1
_PATH_BENEATH: Final = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE
_N_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files each version handles: bits from the first on."""

_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
_NETWORK_ABI: Final = 4
SCOPE_ABI: Final = 6
"""From this version on signals reach nobody but what the process has started."""


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Ask the kernel for its version; 0 where it has none, or does not let us."""
    found = _call(_CREATE_RULESET, None, 0, _VERSION)
    return max(found, 0)


def restrict(
    *, readable: Iterable[str], writable: Iterable[str], programs: Iterable[str]
) -> int:
    """Bind this thread, and all that it starts, to what is named; there is no way back.

    `PR_SET_NO_NEW_PRIVS` must be set.

    Args:
        readable: Files, and folders with all that is in them.
        writable: Files that may be written too.
        programs: Files that may be run.

    Returns:
        The version that holds; 0 where nothing does.
    """
    abi = version()
    if not abi:
        return 0
    handled = _handled(abi)
    ruleset = _call(_CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if ruleset < 0:
        return 0
    try:
        for paths, rights in (
            (readable, _READ_FILE | _READ_DIR),
            (writable, _READ_FILE | _WRITE_FILE),
            (programs, _READ_FILE | _EXECUTE),
        ):
            for path in paths:
                _permit(ruleset, path, rights)
        return abi if _call(_RESTRICT_SELF, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _handled(abi: int) -> _Ruleset:
    """Name all that a version can take away."""
    files = (1 << _N_RIGHTS.get(abi, max(_N_RIGHTS.values()))) - 1
    network = _BIND_TCP | _CONNECT_TCP if abi >= _NETWORK_ABI else 0
    scoped = _ABSTRACT_SOCKETS | _SIGNALS if abi >= SCOPE_ABI else 0
    return _Ruleset(files, network, scoped)


def _permit(ruleset: int, path: str, rights: int) -> None:
    """Give rights back for one path; what is not there needs none."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                rights &= _OF_FILES
            rule = _Beneath(rights, descriptor)
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    system = ctypes.CDLL(None).syscall
    system.restype = ctypes.c_long
    given = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    result: int = system(ctypes.c_long(number), *given)
    return result
