"""Our own commands in a process of their own: what takes a network, or a model.

The interface loads nothing heavy, and the daemon has no network.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pplx_local.daemon.launch import as_args
from pplx_local.tui.apart import apart

PROGRAM: Sequence[str] = (sys.executable, "-P", "-m", "pplx_local")
_END_S = 5.0


class Step(NamedTuple):
    """How many bytes are there."""

    done: int
    total: int
    seconds_left: float | None


class Child:
    """`pplx-local --home HOME ARGS...`, run once."""

    def __init__(
        self, home: Path, flags: Mapping[str, str | None], args: Sequence[str]
    ) -> None:
        """Start nothing yet.

        Args:
            home: Whose it is.
            flags: Said before the command, such as `{"--device": "cpu"}`; None is not
                said.
            args: The command.
        """
        self._command = [*PROGRAM, "--home", str(home), *as_args(flags), *args]
        self._process: subprocess.Popen[str] | None = None
        self.is_ended = False
        """Whether it was told to end."""

    async def run(self, tell: Callable[[str | Step], None]) -> int:
        """Run it; cancelled, it is told to end.

        Args:
            tell: Called in the event loop for each line and each progress.

        Returns:
            Its exit code.
        """
        loop = asyncio.get_running_loop()

        def pass_on(line: str) -> None:
            with suppress(RuntimeError):  # the interface has ended
                loop.call_soon_threadsafe(tell, _understood(line))

        try:
            return await apart(lambda: self._work(pass_on))
        except asyncio.CancelledError:
            self.end()
            raise

    def end(self) -> None:
        """Have it end in good order: what a pull has fetched is kept."""
        self.is_ended = True
        if process := self._process:
            process.terminate()
            last = threading.Timer(_END_S, process.kill)
            last.daemon = True
            last.start()

    def _work(self, tell: Callable[[str], None]) -> int:
        with subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self._process = process
            if self.is_ended:  # before it had begun
                process.terminate()
            assert process.stdout, "it is a pipe"
            for line in process.stdout:
                tell(line.rstrip("\n"))
        return process.returncode


def _understood(line: str) -> str | Step:
    """Tell progress from what is said."""
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(line)
        return Step(told["done"], told["total"], told["seconds_left"])
    return line
