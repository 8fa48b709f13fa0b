"""Small programs on a path of their own, which write down how they were started."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_PROGRAM = """\
#!{python}
import os, sys
from pathlib import Path

record = Path({record!r})
Path(f"{{record}}.new").write_bytes(b"\\0".join(map(os.fsencode, sys.argv[1:])))
os.replace(f"{{record}}.new", record)  # whole, or not there
{body}
"""


class Recorder:
    """A folder of programs for $PATH, each of which records its arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "programs"
        self.folder.mkdir()
        self.path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def add(self, name: str, body: str = "") -> None:
        """Write a program that goes on with a body in Python."""
        program = self.folder / name
        record = str(self._record(name))
        program.write_text(
            _PROGRAM.format(python=sys.executable, record=record, body=body)
        )
        program.chmod(0o700)

    def arguments(self, name: str, timeout_s: float = 20.0) -> list[bytes]:
        """Wait until a program has run; give its arguments."""
        deadline = time.monotonic() + timeout_s
        while not self.has_run(name):
            assert time.monotonic() < deadline, f"{name} was not started"
            time.sleep(0.01)
        return self._record(name).read_bytes().split(b"\0")

    def has_run(self, name: str) -> bool:
        """Tell whether a program was started."""
        return self._record(name).exists()

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.arguments"
