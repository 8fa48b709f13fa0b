"""The whole process of a search as a shell starts it: through the daemon, and without."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from pplx_local.bench.material import checkpoints_of, documents_folder, queries_from
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.config import Settings, write_setting
from pplx_local.errors import DaemonError, FolderError
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.index.scratch import scratch_settings
from pplx_local.models import profile_of
from pplx_local.records import Progress

Follow = Callable[[Iterable[Progress]], None]

_ANSWERED = (0, 1)
"""Exit codes of a search: something was found, or nothing."""
_SLOW = 0.95
_HELP = "pplx-local --help"
_BARE = "python -c pass"


class _Ran(NamedTuple):
    """One whole process."""

    ms: float
    output: bytes


def measure_start(
    settings: Settings,
    folder: Path | None = None,
    n_runs: int = 10,
    *,
    follow: Follow,
    worker: WorkerFactory = spawn_worker,
) -> BenchResult:
    """Time searches by a daemon that has its model, beside the same ones in process.

    Each is a process of its own, from its start to its end; they take turns, in two homes
    with the same index. The first of each is not counted.

    Args:
        settings: Model, backend and limits; the home is left alone.
        folder: What is indexed; None for prose that Python brings.
        n_runs: Searches of each kind.
        follow: Runs the indexing and shows its progress.
        worker: How encoder workers are made for the indexing.

    Raises:
        DaemonError: The daemon, or a search, did not do what it should.
        FolderError: The folder holds no text.
        ModelError: A model is not here.
    """
    model = _model_in_words(settings)
    with scratch_settings(settings) as scratch:
        keep_settings(settings, scratch)
        with documents_folder(folder) as place:
            queries = _index(scratch, place, n_runs + 1, follow, worker)
            alone = scratch.home.with_name("alone")
            shutil.copytree(scratch.home, alone, symlinks=True)
            with running_daemon(scratch.home):
                pairs = [_search_twice(scratch.home, alone, one) for one in queries][1:]
                _run(scratch.home, "daemon", "status")  # it has answered to the end
    helped = [_timed(program("--help")).ms for _ in range(n_runs)]
    bare = [_timed([sys.executable, "-c", "pass"]).ms for _ in range(n_runs)]
    rows = [
        *_compared(model, pairs),
        BenchRow(_HELP, statistics.median(helped), "ms"),
        BenchRow(_BARE, statistics.median(bare), "ms"),
    ]
    return BenchResult("start", machine(), tuple(rows))


def _compared(model: str, pairs: Sequence[tuple[_Ran, _Ran]]) -> list[BenchRow]:
    by_daemon = statistics.median(ours.ms for ours, _ in pairs)
    in_process = statistics.median(alone.ms for _, alone in pairs)
    slow = sorted(ours.ms for ours, _ in pairs)[int(_SLOW * (len(pairs) - 1))]
    n_same = sum(ours.output == alone.output for ours, alone in pairs)
    there = f"search with {model}, through the daemon"
    here = f"search with {model}, in process"
    return [
        BenchRow(there, by_daemon, "ms", here, in_process / by_daemon),
        BenchRow(f"{_SLOW:.0%} of these take at most", slow, "ms"),
        BenchRow(here, in_process, "ms"),
        BenchRow("same hits from both", n_same, f"of {len(pairs)}"),
    ]


# --- a home to measure in ----------------------------------------------------


def _model_in_words(settings: Settings) -> str:
    profile = profile_of(settings)
    found = checkpoints_of(profile, settings) if any(profile) else {}
    return " + ".join(checkpoint.name for checkpoint in found) or "keywords alone"


def keep_settings(settings: Settings, scratch: Settings) -> None:
    """Let the processes of a scratch home find the settings that we were given."""
    if settings.file.exists():
        shutil.copyfile(settings.file, scratch.file)
    for key in ("model", "backend", "device"):  # what may have come by flag
        write_setting(scratch.file, key, getattr(settings, key))


def _index(
    scratch: Settings,
    place: Path,
    n_queries: int,
    follow: Follow,
    worker: WorkerFactory,
) -> list[str]:
    """Index a folder, and take queries from it; the same again where it has few."""
    with Index.open(scratch, write=True, worker=worker) as index:
        index.add_folder(place)
        follow(index.update())
        queries = queries_from(index, n_queries)
    if not queries:
        raise FolderError("There is no text to measure with.")
    return list(islice(cycle(queries), n_queries))


@contextmanager
def running_daemon(home: Path) -> Iterator[None]:
    """Run a daemon; it ends whatever happens, and whether or not it has begun."""
    try:
        _run(home, "daemon", "start")
        yield
    finally:
        _run(home, "daemon", "stop")


# --- processes ---------------------------------------------------------------


def _search_twice(served: Path, alone: Path, query: str) -> tuple[_Ran, _Ran]:
    by_daemon, in_process = (
        _run(home, "search", query, ok=_ANSWERED) for home in (served, alone)
    )
    return by_daemon, in_process


def _run(home: Path, *args: str, ok: Sequence[int] = (0,)) -> _Ran:
    return _timed(program("--home", str(home), *args), ok)


def program(*args: str) -> list[str]:
    """Give the command line: the script that a person calls, where it is installed."""
    script = Path(sys.executable).with_name("pplx-local")
    if script.exists():
        return [str(script), *args]
    return [sys.executable, "-m", "pplx_local", *args]


def environment() -> dict[str, str]:
    """Give what a measured process is to find.

    What it has compiled is kept, as pip does when it installs a program. Containers often
    forbid that, and a program that runs from its checkout is then compiled at each start.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _timed(command: Sequence[str], ok: Sequence[int] = (0,)) -> _Ran:
    start = time.perf_counter()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=environment(),
    )
    ms = (time.perf_counter() - start) * 1000
    if done.returncode not in ok:
        said = done.stderr.decode(errors="replace").strip()
        raise DaemonError(f"`{' '.join(command)}` could not be measured. {said}")
    return _Ran(ms, done.stdout)
