"""A daemon as a process of its own, with the fake encoder, and what tests ask of it.

Run as a program it is that process.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from fakes import FakeWorker, Poisoned, fake_checkpoint, install_fake_checkpoint

from pplx_local.config import Settings, load_settings
from pplx_local.daemon.client import RemoteIndex, connect
from pplx_local.daemon.followed import Followed
from pplx_local.index.reading import ReadingStage
from pplx_local.models import CATALOGUE, Checkpoint, Profile
from pplx_local.records import DaemonStatus, State
from pplx_local.store import Waiting

_START_S = 30.0


class Daemon:
    """A home, a folder of documents, and a daemon for them."""

    def __init__(self, root: Path, options: Sequence[str] = ()) -> None:
        self.settings = Settings(home=root / "home")
        self.folder = root / "documents"
        self.folder.mkdir()
        install_fake_checkpoint(self.settings.home)
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._client: RemoteIndex | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop(signal.SIGKILL)

    # --- the process ---

    @property
    def command(self) -> list[str]:
        return [sys.executable, __file__, str(self.settings.home), *self._options]

    def spawn(self, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a process without waiting for it."""
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
        return subprocess.Popen(self.command, env=environment, stdin=stdin)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = self.spawn()
        wait_for(self.reach, _START_S)

    def reach(self) -> bool:
        """Connect; tell whether somebody answered."""
        self._client = connect(self.settings.home)
        return self._client is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait for the end."""
        if self._client:
            self._client.close()
        if self._process:
            self._process.send_signal(how)
            try:
                self._process.wait(_START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise
            finally:
                self._process = None
        self._client = None

    def wait(self, seconds: float) -> int:
        """Wait until it has ended by itself; give its exit code."""
        assert self._process, "it runs"
        return self._process.wait(seconds)

    @property
    def pid(self) -> int:
        assert self._process, "it runs"
        return self._process.pid

    def loaded_libraries(self) -> set[str]:
        """Name the files that are mapped into its memory."""
        maps = Path(f"/proc/{self.pid}/maps").read_text(encoding="utf-8")
        return {line.split()[-1] for line in maps.splitlines() if "/" in line}

    def n_looked_through(self) -> int:
        """Count the objects that it goes through for garbage."""
        counted = self.settings.home / "objects"
        counted.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        wait_for(counted.exists)
        return int(counted.read_text())

    # --- the folder ---

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    # --- the index ---

    @property
    def client(self) -> RemoteIndex:
        assert self._client, "it runs"
        return self._client

    def add(self) -> Followed:
        """Register the folder and follow its indexing to the end."""
        return self.follow("add", [self.folder])

    def follow(self, call: str, paths: Sequence[Path] | None) -> Followed:
        followed = getattr(self.client, call)(paths)
        list(followed)
        return followed

    def paths(self, query: str, **options: Any) -> list[str]:
        """Search by keywords, which are exact."""
        answer = self.client.search(query, mode="lexical", **options)
        return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in answer.hits]

    def state(self) -> DaemonStatus:
        found = self.client.status().daemon
        assert found
        return found

    def states(self) -> dict[State, int]:
        return dict(self.client.status().states)

    def covers_all(self, documents: int) -> bool:
        """Tell whether so many documents are in every leg."""
        status = self.client.status()
        whole = set(status.coverage.values()) == {1.0}
        return status.documents == documents and whole


def wait_for(condition: Callable[[], Any], seconds: float = 40.0) -> None:
    """Ask until it holds, or fail."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


class LoadingWorker(FakeWorker):
    """Loads for ever."""

    def is_ready(self) -> bool:
        return False

    def plan(self, *given: Any) -> Future[Any]:
        return Future()


def main() -> None:
    """Run a daemon whose encoder is the fake one."""
    from pplx_local.daemon import indexer, presence, restraint
    from pplx_local.daemon.run import run_daemon

    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--slow-model", action="store_true")
    parser.add_argument("--poisoned", action="store_true")
    parser.add_argument("--slow-file", type=float, default=0.0)
    parser.add_argument("--long-back-off", action="store_true")
    parser.add_argument("--impatient", action="store_true")
    parser.add_argument("--with-parent", action="store_true")
    parser.add_argument("--fake-catalogue", action="store_true")
    options = parser.parse_args()
    if options.impatient:
        restraint._BACK_OFF_S = (0.5,)
        indexer._LONGEST_WAIT_S = presence._CHECK_EVERY_S = 0.2
    if options.long_back_off:
        restraint._BACK_OFF_S = (3600.0,)
    profile = None if options.fake_catalogue else Profile(*[fake_checkpoint()] * 2)
    if options.fake_catalogue:
        CATALOGUE.clear()  # type: ignore[attr-defined]
        CATALOGUE.update(  # type: ignore[attr-defined]
            {one.name: one for one in fake_catalogue()}
        )
    if options.poisoned:
        indexer._FILL_AGAIN_S = 0.5
    if options.slow_file:
        read_slowly(options.home, options.slow_file)
    count_objects(options.home)
    kinds = {options.slow_model: LoadingWorker, options.poisoned: Poisoned}
    kind = kinds.get(True, FakeWorker)
    run_daemon(
        load_settings(options.home),
        worker=lambda checkpoint, *args: kind(checkpoint),
        profile=profile,
        with_parent=options.with_parent,
    )


def count_objects(home: Path) -> None:
    """Write down at SIGUSR1 how many objects are gone through for garbage."""

    def count(*given: object) -> None:
        part = home / "objects.part"
        part.write_text(str(len(gc.get_objects())))
        part.rename(home / "objects")

    signal.signal(signal.SIGUSR1, count)


def read_slowly(home: Path, seconds: float) -> None:
    """Let a file of one name take so long; note in a file each time that it is begun."""
    began: dict[int, float] = {}
    prepare, is_read = ReadingStage._prepare, ReadingStage._is_read

    def prepared(stage: ReadingStage, waiting: Waiting, before: Any) -> Any:
        job = prepare(stage, waiting, before)
        if job.waiting.path.endswith(b"slow.txt"):
            began[id(job)] = time.monotonic()
            with (home / "begun").open("a") as begun:
                begun.write(".")
        return job

    def is_slowly_read(stage: ReadingStage, job: Any, wait_s: float) -> bool:
        left = began.get(id(job), -math.inf) + seconds - time.monotonic()
        if left > 0:
            time.sleep(max(0.0, min(wait_s, left)))
            return False
        return is_read(stage, job, wait_s)

    ReadingStage._prepare = prepared  # type: ignore[method-assign]
    ReadingStage._is_read = is_slowly_read  # type: ignore[method-assign]


def fake_catalogue() -> tuple[Checkpoint, ...]:
    """Checkpoints for a daemon whose model is chosen: by roles, here and not."""
    return (
        fake_checkpoint(name="fake", title="Fake"),
        fake_checkpoint(name="big", title="Big", dim=64, token_dim=64),
        fake_checkpoint(name="dense-only", roles=("dense",), dim=40),
        fake_checkpoint(name="late-only", roles=("late",), token_dim=40, dim=40),
        fake_checkpoint(name="broken"),
        fake_checkpoint(name="far-away", repository="somebody/tiny", size_bytes=10**9),
    )


if __name__ == "__main__":
    main()
