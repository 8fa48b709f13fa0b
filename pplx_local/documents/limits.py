"""What the reading of one file may take: time, memory, length, and its turn."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import astuple, dataclass

from pplx_local import priority
from pplx_local.documents.kinds import Kind

try:
    import resource
except ModuleNotFoundError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

_SPARE_CPU_S = 5
_PICTURES = 6
"""May be looked at without a word to the parent."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Set by the parent, applied by the child to itself."""

    timeout_s: float
    """Between two messages."""
    memory_bytes: int
    """Of address space, on top of what the child has before it reads."""
    max_file_bytes: int
    """Longer files are skipped."""
    niceness: int = 0
    """0 for the processor's and the disk's ordinary turn, 19 for the last."""
    ocr: bool = False
    """Whether pages that are pictures are read too."""

    @property
    def memory_reason(self) -> str:
        """Say that the memory was not enough."""
        return f"needed more than {_in_units(self.memory_bytes)} of memory to read"

    @property
    def size_reason(self) -> str:
        """Say that the file is too long."""
        return (
            f"larger than {_in_units(self.max_file_bytes)} (the setting max_file_bytes)"
        )

    @property
    def time_reason(self) -> str:
        """Say that the time was not enough."""
        return f"reading took longer than {self.timeout_s:g} s"

    def arguments(self) -> list[str]:
        """Write them on a command line."""
        timeout_s, *numbers = astuple(self)
        return [str(timeout_s), *(str(int(number)) for number in numbers)]

    @classmethod
    def parse(cls, arguments: list[str]) -> Limits:
        """Read them from a command line."""
        timeout_s, (memory, file, niceness, ocr) = arguments[0], map(int, arguments[1:])
        return cls(float(timeout_s), memory, file, niceness, bool(ocr))

    def applied_to(self, kind: Kind) -> Kind:
        """Say in a file's kind how long its reader may look at a picture."""
        return kind._replace(picture_s=self.timeout_s / _PICTURES) if self.ocr else kind

    def apply(self) -> None:
        """Bind this process: it writes no file and leaves no core.

        Where the system has no such limits the parent still watches time and memory.
        """
        sys.dont_write_bytecode = True
        priority.lower(self.niceness)
        if resource is None:
            return
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_FSIZE, 0)
        _lower(resource.RLIMIT_AS, _address_space_bytes() + self.memory_bytes)

    def renew_cpu(self) -> None:
        """Allow the time for one more message, and end this process after it.

        The parent's own watch does not help once the parent is gone.
        """
        if resource is not None:
            seconds = time.process_time() + self.timeout_s + _SPARE_CPU_S
            hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, hard))


def _in_units(n_bytes: int) -> str:
    """Say `1.5 GB`, `300 bytes`, exactly enough to know a limit again."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.4g} {unit}"
    return f"{n_bytes} bytes"


def _lower(limit: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (value, value))


def _address_space_bytes() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
