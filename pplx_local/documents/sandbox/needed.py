"""What a parser's process has to read of the system once it is locked in.

Its libraries are loaded when a file needs them, so what Python itself lives on stays
readable. Nothing of a person's is: the file to be parsed comes open.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime", "/etc/mime.types"),
    *("/etc/fonts", "/var/cache/fontconfig", "/etc/ssl/openssl.cnf"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"),
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)
WRITABLE = ("/dev/null",)
_LOADERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
)
"""The kernel runs one of these along with any program."""


def readable() -> list[str]:
    """List files and folders of Linux that a parser may read."""
    return [*_SYSTEM, *of_python()]


def of_python() -> list[str]:
    """List where Python and its packages are; never a whole home folder."""
    homes = _above(Path.home())
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path}
    tessdata = os.environ.get("TESSDATA_PREFIX")
    real = {os.path.realpath(one) for one in (*places, tessdata) if one}
    return sorted(real - homes)


def runnable(names: Iterable[str]) -> list[str]:
    """List the files that the kernel has to run for some programs, if they are here."""
    found = [path for path in map(shutil.which, names) if path]
    return [*found, *_LOADERS] if found else []


def _above(home: Path) -> set[str]:
    """List a folder and those that it lies in."""

    def real() -> Iterator[Path]:
        whole = home.resolve()
        yield whole
        yield from whole.parents

    return set(map(str, real()))
