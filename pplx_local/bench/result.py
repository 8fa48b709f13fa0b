"""What a bench gives: rows that a person and a program can both read."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One measured thing, beside another."""

    what: str
    value: float | None
    """None when it could not be measured; then `what` says why."""
    unit: str
    against: str | None = None
    """`what` of the row that it is compared with; None for no comparison."""
    ratio: float | None = None
    """How many times better than `against`: above 1 is faster, whatever the unit."""

    @property
    def words(self) -> str:
        """The value with as many digits as help."""
        if self.value is None:
            return "-"
        is_whole = self.value >= 100 or float(self.value).is_integer()
        return f"{self.value:,.0f}" if is_whole else f"{self.value:.2f}"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """All rows of one run."""

    bench: str
    machine: str
    rows: tuple[BenchRow, ...]

    def as_json(self) -> dict[str, Any]:
        """The object of `bench NAME --json`."""
        return asdict(self) | {"rows": [asdict(row) for row in self.rows]}


def machine() -> str:
    """Name processor, cores and system: figures mean nothing without them."""
    system = f"{platform.system()} {platform.machine()}"
    return f"{_processor()}, {os.cpu_count()} cores, {system}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or "unknown processor"
    named = [line.split(":", 1)[1] for line in lines if line.startswith("model name")]
    return named[0].strip() if named else "unknown processor"
