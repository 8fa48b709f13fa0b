"""The terminal interface: its first frame, its longest pause, how soon hits are there."""

from __future__ import annotations

import asyncio
import gc
import os
import pty
import select
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pplx_local.bench.material import documents_folder, queries_from
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.bench.start import (
    environment,
    keep_settings,
    program,
    running_daemon,
)
from pplx_local.bench.timing import percentiles
from pplx_local.config import Settings
from pplx_local.errors import DaemonError, FolderError
from pplx_local.index import Index
from pplx_local.index.scratch import scratch_settings

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from pplx_local.tui.app import PplxLocal
    from pplx_local.tui.search.screen import SearchScreen

_PROMPT = b"earch in your folders"
"""Of the search box; the cursor stands on its first letter."""
_LETTER = "\u00a7"
"""One that stands nowhere else on the screen."""
_BARE = [sys.executable, "-c", "import textual.app; print('loaded', flush=True)"]
_SIZE = (120, 34)
_TERMINAL = {
    "COLUMNS": str(_SIZE[0]),
    "LINES": str(_SIZE[1]),
    "TERM": "xterm-256color",
}
_FEWEST_LETTERS = 3
"""From so many on hits are expected with each key."""
_LAG_EVERY_S = 0.002
_BETWEEN_KEYS_S = 0.12
"""Of somebody who types a hundred words a minute."""
_ANSWER_S = 30.0
_QUERIES = 40


def measure_interface(
    settings: Settings, folder: Path | None = None, n_runs: int = 10
) -> BenchResult:
    """Time the interface as a person meets it.

    Args:
        settings: Model, backend and limits. Searches are timed in its home's own index,
            where it has one; nothing in the home is changed.
        folder: What is indexed while somebody types; None for prose that Python brings.
        n_runs: Starts of each kind.

    Raises:
        DaemonError: The interface, or its daemon, did not do what it should.
        FolderError: The folder holds no text.
    """
    with scratch_settings(settings) as scratch, documents_folder(folder) as place:
        keep_settings(settings, scratch)
        with running_daemon(scratch.home):
            rows = _starts(scratch.home, n_runs)
            rows += asyncio.run(_pauses(scratch.home, place))
        home = settings.home if settings.database.exists() else scratch.home
        rows += asyncio.run(_answers(home, _queries(home, settings)))
    return BenchResult("tui", machine(), tuple(rows))


# --- the first frame ---------------------------------------------------------


def _starts(home: Path, n_runs: int) -> list[BenchRow]:
    """Time whole processes in a terminal, beside the library alone; they take turns.

    The first one has no frame of the last time to show, and is not counted.
    """
    ours, bare = [], []
    for _ in range(n_runs + 1):
        ours.append(_timed_start(program("--home", str(home)), _PROMPT, _LETTER))
        bare.append(_timed_start(_BARE, b"loaded")[0])
    seen, typed = zip(*ours[1:], strict=True)
    seen_ms, bare_ms = statistics.median(seen), statistics.median(bare[1:])
    what, beside = "first frame of pplx-local", "python -c 'import textual.app'"
    return [
        BenchRow(what, seen_ms, "ms", beside, bare_ms / seen_ms),
        BenchRow(f"{what}, the slowest of {n_runs}", max(seen), "ms"),
        BenchRow("a letter typed then is shown", statistics.median(typed), "ms"),
        BenchRow(beside, bare_ms, "ms"),
    ]


def _timed_start(
    command: Sequence[str], marker: bytes, letter: str = ""
) -> list[float]:
    """Start a process in a terminal of its own, and type when it has written.

    Returns:
        The ms from the start to the marker, and to the letter if one is typed.
    """
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:  # the child
        os.execve(command[0], list(command), environment() | _TERMINAL)
    try:
        times = [_read_until(terminal, marker, started)]
        if letter:
            os.write(terminal, letter.encode())
            times.append(_read_until(terminal, letter.encode(), started))
        return times
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _read_until(terminal: int, marker: bytes, started: float) -> float:
    """Give the ms since the start when a marker has come."""
    seen = b""
    while marker not in seen:
        left = started + _ANSWER_S - time.perf_counter()
        readable, _, _ = select.select([terminal], [], [], max(left, 0))
        try:
            seen += os.read(terminal, 65_536) if readable else b""
        except OSError:  # it has ended
            readable = []
        if not readable:
            raise DaemonError(f"The interface did not start: {seen[-200:]!r}.")
    return (time.perf_counter() - started) * 1000


def _app(home: Path) -> PplxLocal:
    """Make the app as the command line does, in this process."""
    from pplx_local.tui.app import PplxLocal

    gc.disable()  # from the first frame on what is loaded by then is left
    return PplxLocal(home)


# --- pauses of the event loop ------------------------------------------------


async def _pauses(home: Path, place: Path) -> list[BenchRow]:
    """Index a folder while somebody types; say how long a frame had to wait."""
    app, lags = _app(home), list[float]()
    async with app.run_test(size=_SIZE) as pilot, _watched(lags):
        tell: Callable[[Any], None] = lambda progress: None  # noqa: E731
        work = asyncio.create_task(
            app.link.follow("indexing", lambda daemon: daemon.add([place]), tell)
        )
        while not work.done():
            await _type(pilot, "the library function ")
        await work
    what = f"frames held up while {place.name} is indexed and somebody types"
    return [
        BenchRow(
            f"{what}, {_LAG_EVERY_S * 1000:.0f} ms apart: the longest", max(lags), "ms"
        ),
        BenchRow("of these, 99 of 100 at most", float(np.percentile(lags, 99)), "ms"),
        BenchRow("over 50 ms", sum(lag > 50 for lag in lags), f"of {len(lags):,}"),
    ]


@asynccontextmanager
async def _watched(lags: list[float]) -> AsyncIterator[None]:
    """Note in ms how much later than asked for the event loop comes back."""

    async def watch() -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(_LAG_EVERY_S)
            late = time.perf_counter() - asked - _LAG_EVERY_S
            lags.append(max(0.0, late * 1000))

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _type(pilot: Pilot[Any], text: str) -> None:
    for char in text:
        await pilot.press("space" if char == " " else char)
        await asyncio.sleep(_BETWEEN_KEYS_S)
    await pilot.press("escape")


# --- answers -----------------------------------------------------------------


def _queries(home: Path, settings: Settings) -> list[str]:
    """Take questions out of an index."""
    with Index.open(replace(settings, home=home)) as index:
        found = queries_from(index, _QUERIES)
    if not found:
        raise FolderError("There is no text to measure with.")
    return found


async def _answers(home: Path, queries: Sequence[str]) -> list[BenchRow]:
    """Type questions letter by letter; time what is shown after each, and at the end."""
    app = _app(home)
    async with app.run_test(size=_SIZE):
        await _shown(app, queries[0])  # loads the model
        times = [await _shown(app, query) for query in queries]
        status = app.status
    among = f"{status.chunks:,} passages" if status else "passages"
    keys = [ms for of_query, _ in times for ms in of_query]
    return [
        *percentiles("a key to the hits of the keywords", among, keys),
        *percentiles("the last key to the final hits", among, [ms for _, ms in times]),
    ]


async def _shown(app: PplxLocal, query: str) -> tuple[list[float], float]:
    """Type a question; give the ms until hits are there, for keys and at the end."""
    screen: SearchScreen = app.search_screen
    box, keys = screen.query_input, []
    box.value = typed = query[: _FEWEST_LETTERS - 1]
    box.cursor_position = len(typed)
    for char in query[len(typed) :]:
        typed += char
        started = time.perf_counter()
        box.insert_text_at_cursor(char)
        if typed.strip():
            keys.append(await _until(partial(screen.has_answered, typed), started))
        if typed != query:
            await asyncio.sleep(started + _BETWEEN_KEYS_S - time.perf_counter())
    final = await _until(partial(screen.has_answered, query, finally_=True), started)
    return keys, final


async def _until(condition: Callable[[], bool], started: float) -> float:
    while not condition():
        if time.perf_counter() - started > _ANSWER_S:
            raise DaemonError(f"No answer came for {_ANSWER_S:.0f} seconds.")
        await asyncio.sleep(0.001)
    return (time.perf_counter() - started) * 1000
