"""A seccomp filter: the system calls that a parser never needs are refused.

A list of what is denied, where a list of what is allowed would be tighter: Landlock
already holds the file system, and the libraries in here are many, so that a list of
what they all call on every kernel would break reading sooner than it would stop anyone.
What remains are the calls that Landlock does not see: sockets, other processes, the
kernel's odd corners, and changes to a file that need no opening for writing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pplx_local.documents.sandbox.calls import (
    ALWAYS,
    ARCHITECTURES,
    CONDITIONAL,
    PROGRAMS,
)

_SET_MODE_FILTER, _ALL_THREADS = 1, 1

# What a filter looks at: offsets into `struct seccomp_data`, in bytes.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = (
    0x20,
    0x15,
    0x35,
    0x45,
    0x06,
)
_ALLOW: Final = 0x7FFF0000
_ERROR: Final = 0x00050000
_X32: Final = 0x40000000
"""Numbers from here on are the same calls once more, by other rules."""

_NEW_THREAD: Final = 0x00010000
_NEW_NAMESPACE: Final = 0x7E020000
_FOR_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_STREAMS: Final = (0x1, 0x801, 0x80001, 0x80801)
"""SOCK_STREAM, with SOCK_NONBLOCK or SOCK_CLOEXEC or both. A pair of them reaches nobody
else, and event loops wake themselves by one; datagrams could be sent anywhere."""

_TERMINALS_AND_PIPES: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Needs(NamedTuple):
    """What this filter has to leave open."""

    programs: bool
    """Whether other programs may be run."""
    signals: bool
    """Whether signals may be sent; else to this process alone."""
    write_opens: bool
    """Whether files may be opened for writing; another wall is there."""


def restrict(needs: Needs) -> bool:
    """Bind all threads of this process, and all that it starts.

    `PR_SET_NO_NEW_PRIVS` must be set.

    Returns:
        Whether it holds: False on an architecture or a kernel that it is not for.
    """
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None or struct.calcsize("P") != 8:
        return False
    code = b"".join(_filter(architecture.column, architecture.audit, needs))
    held = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(held))
    system = ctypes.CDLL(None).syscall
    system.restype = ctypes.c_long
    arguments = (architecture.seccomp, _SET_MODE_FILTER, _ALL_THREADS)
    result: int = system(*map(ctypes.c_long, arguments), ctypes.byref(program))
    return result == 0


def _filter(column: int, audit: int, needs: Needs) -> Iterator[bytes]:
    """Write the filter, in the machine's words: eight bytes for each."""
    yield _load(_ARCHITECTURE)
    yield from (_jump(_JUMP_EQUAL, audit, 1, 0), _refuse())
    yield _load(_NUMBER)
    yield from (_jump(_JUMP_AT_LEAST, _X32, 0, 1), _refuse())
    own = os.getpid()

    def number(name: str) -> int | None:
        return CONDITIONAL[name][column]

    for numbers in ALWAYS.values():
        yield from _deny(numbers[column])
    if not needs.programs:
        for numbers in PROGRAMS.values():
            yield from _deny(numbers[column])
    if not needs.signals:
        for name in ("kill", "tkill", "tgkill"):
            yield from _allow_only(number(name), 0, (own,))
    yield from _allow_only(number("prlimit64"), 0, (0, own))
    yield from _allow_only(number("ioctl"), 1, _TERMINALS_AND_PIPES)
    yield from _allow_only(number("socketpair"), 1, _STREAMS)
    yield from _clone(number("clone"), needs)
    # Its flags lie in memory, where no filter can look: libraries fall back to clone.
    yield from _deny(number("clone3"), errno.ENOSYS)
    if not needs.write_opens:
        yield from _deny(number("openat2"), errno.ENOSYS)
        yield from _deny_bits(number("open"), 1, _FOR_WRITING)
        yield from _deny_bits(number("openat"), 2, _FOR_WRITING)
    yield _allow()


def _deny(number: int | None, error: int = errno.EPERM) -> Iterator[bytes]:
    if number is not None:
        yield _jump(_JUMP_EQUAL, number, 0, 1)
        yield _refuse(error)


def _allow_only(
    number: int | None, argument: int, values: Sequence[int]
) -> Iterator[bytes]:
    """Refuse a call unless an argument is one of these."""
    if number is None:
        return
    yield _jump(_JUMP_EQUAL, number, 0, len(values) + 3)
    yield _load_argument(argument)
    for index, value in enumerate(values):
        yield _jump(_JUMP_EQUAL, value, len(values) - index, 0)
    yield _refuse()
    yield _allow()


def _deny_bits(number: int | None, argument: int, bits: int) -> Iterator[bytes]:
    """Refuse a call if an argument has any of these bits."""
    if number is None:
        return
    yield _jump(_JUMP_EQUAL, number, 0, 4)
    yield _load_argument(argument)
    yield _jump(_JUMP_ANY_BIT, bits, 0, 1)
    yield _refuse()
    yield _allow()


def _clone(number: int | None, needs: Needs) -> Iterator[bytes]:
    """Allow threads, and processes where programs may be run; never a namespace."""
    if needs.programs:
        yield from _deny_bits(number, 0, _NEW_NAMESPACE)
        return
    assert number is not None, "every architecture has it"
    yield _jump(_JUMP_EQUAL, number, 0, 5)
    yield _load_argument(0)
    yield _jump(_JUMP_ANY_BIT, _NEW_NAMESPACE, 1, 0)
    yield _jump(_JUMP_ANY_BIT, _NEW_THREAD, 1, 0)
    yield _refuse()
    yield _allow()


def _load(offset: int) -> bytes:
    return struct.pack("=HBBI", _LOAD, 0, 0, offset)


def _load_argument(index: int) -> bytes:
    """Load the lower half: what is looked at here is no longer."""
    return _load(_ARGUMENTS + 8 * index)


def _jump(test: int, value: int, if_so: int, if_not: int) -> bytes:
    return struct.pack("=HBBI", test, if_so, if_not, value)


def _refuse(error: int = errno.EPERM) -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, _ERROR | error)


def _allow() -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, _ALLOW)
