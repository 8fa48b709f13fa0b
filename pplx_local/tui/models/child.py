"""Our own commands in a process of their own: what takes a network, or a model.

The interface loads nothing heavy, and the daemon has no network.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROGRAM: Sequence[str] = (sys.executable, "-P", "-m", "pplx_local")
_LONGEST_LINE = 1 << 20
_END_S = 5.0


class Step(NamedTuple):
    """How many bytes are there."""

    done: int
    total: int
    seconds_left: float | None


async def run_command(
    home: Path, args: Sequence[str], tell: Callable[[str | Step], None]
) -> int:
    """Run `pplx-local --home HOME ARGS...` to its end.

    Cancelled, it ends the process as Ctrl-C would: what a pull has fetched is kept.

    Args:
        home: Whose models it is about.
        args: The command.
        tell: Called for each line that the command writes, and each progress.

    Returns:
        Its exit code.
    """
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *("--home", str(home)),
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LONGEST_LINE,
        start_new_session=True,
    )
    assert process.stdout, "it is a pipe"
    try:
        async for line in process.stdout:
            tell(_understood(line.decode(errors="replace").rstrip("\n")))
        return await process.wait()
    finally:
        await _end(process)


def _understood(line: str) -> str | Step:
    """Tell progress from what is said."""
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(line)
        return Step(told["done"], told["total"], told["seconds_left"])
    return line


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), _END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
