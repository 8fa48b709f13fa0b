"""What the soak scripts share: a real daemon, made-up prose, and a verdict."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from pplx_local.config import Settings, load_settings
from pplx_local.daemon.client import RemoteIndex, connect
from pplx_local.daemon.log import log_file
from pplx_local.errors import DaemonError
from pplx_local.records import Status

START_S = 60.0
SETTLE_S = 600.0
POLL_S = 0.1
STEADY_S = 0.5
"""How long there must be nothing to do before it counts: a hint may be on its way."""


class Daemon:
    """`pplx-local daemon run` for a home of its own."""

    def __init__(self, home: Path, model: str, **settings: object) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [f'model = "{model}"', 'power = "always"']
        lines += [f"{key} = {value}" for key, value in settings.items()]
        (home / "config.toml").write_text("\n".join(lines) + "\n")
        self.home = home
        self.client: RemoteIndex
        self._process: psutil.Popen

    @property
    def settings(self) -> Settings:
        return load_settings(self.home)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-P", "-m", "pplx_local", "--home", str(self.home)]
        self._process = psutil.Popen(
            [*command, "daemon", "run"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.client = self._greeted()
        except BaseException:
            self._process.kill()
            raise

    def _greeted(self) -> RemoteIndex:
        until = time.monotonic() + START_S
        while not (client := self._reached()):
            if self._process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"The daemon did not start:\n{self.last_words()}")
            time.sleep(0.02)
        return client

    def _reached(self) -> RemoteIndex | None:
        with suppress(DaemonError):  # the one that was killed left its announcement
            return connect(self.home)
        return None

    def kill(self, *, children: bool) -> None:
        """End it as a power cut would, with or without what it has started."""
        others = self.children() if children else []
        for process in [self._process, *others]:
            with suppress(psutil.Error):
                process.kill()
        self._process.wait()
        self.client.close()

    def stop(self) -> None:
        """End it in good order."""
        self.client.close()
        self._process.terminate()
        self._process.wait(START_S)

    def children(self) -> list[psutil.Process]:
        """What it has started."""
        try:
            return self._process.children(recursive=True)
        except psutil.Error:
            return []

    def resident_bytes(self) -> tuple[int, int]:
        """Memory of the daemon and of its children; what they share counts in each."""
        of_children = 0
        for child in self.children():
            with suppress(psutil.Error):
                of_children += child.memory_info().rss
        return self._process.memory_info().rss, of_children

    def open_files(self) -> int:
        return self._process.num_fds()

    def cpu_s(self) -> float:
        """Seconds of one core that it has used, its children with it."""
        times = self._process.cpu_times()
        return sum(times[:4])

    def last_words(self) -> str:
        with suppress(OSError):
            return "".join(log_file(self.home).read_text().splitlines(True)[-5:])
        return "it has no log"

    def settle(self, since_ns: int = 0) -> Status:
        """Wait until all that there is has been read and embedded.

        Args:
            since_ns: A walk must have ended after this, by the clock.
        """
        until = time.monotonic() + SETTLE_S
        steady_since = None
        while time.monotonic() < until:
            status = self.client.status()
            if not is_settled(status, since_ns):
                steady_since = None
            elif steady_since is None:
                steady_since = time.monotonic()
            elif time.monotonic() - steady_since >= STEADY_S:
                return status
            time.sleep(POLL_S)
        raise SystemExit(f"It never settled: {status}\n{self.last_words()}")


@contextmanager
def running(home: Path, model: str, **settings: object) -> Iterator[Daemon]:
    """Run a daemon, and leave none behind, SIGTERM or not."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    daemon = Daemon(home, model, **settings)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.kill(children=True)


def is_settled(status: Status, since_ns: int) -> bool:
    wanted = [role for role, name in status.profile.items() if name]
    return (
        status.daemon is not None
        and status.daemon.doing is None
        and status.queue.waiting == 0
        and not status.states.get("pending")
        and (status.fresh_as_of_ns or 0) >= since_ns
        and all(status.coverage[role] == 1 for role in wanted)
    )


class Prose:
    """Made-up prose whose words are as unequal as a language's; the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.words = [self._word() for _ in range(5000)]
        self._weights = [1 / (rank + 1) for rank in range(len(self.words))]

    def _word(self) -> str:
        syllables = self.rng.randint(2, 4)
        pairs = self.rng.choices("bcdfgklmnprstvw", k=syllables)
        return "".join(c + self.rng.choice("aeiou") for c in pairs)

    def text(self, n_words: int) -> str:
        """Sentences in paragraphs."""
        picked = self.rng.choices(self.words, self._weights, k=n_words)
        sentences = [picked[n : n + 12] for n in range(0, n_words, 12)]
        lines = [" ".join(one).capitalize() + "." for one in sentences]
        return "\n\n".join(" ".join(lines[n : n + 6]) for n in range(0, len(lines), 6))

    def query(self) -> str:
        """Two or three words, rare ones among them."""
        return " ".join(self.rng.sample(self.words[20:800], self.rng.randint(2, 3)))


class Verdict:
    """Prints what was found beside what it should be; remembers whether all was well."""

    def __init__(self) -> None:
        self.good = True

    def check(self, what: str, value: float, limit: float, unit: str = "") -> None:
        """A value that should not be above a limit."""
        self.say(
            f"{what}: {value:,.3g}{unit} (at most {limit:,.3g}{unit})", value <= limit
        )

    def say(self, line: str, good: bool) -> None:
        """A finding."""
        self.good &= good
        print(f"{'ok ' if good else 'NOT'}  {line}", flush=True)

    def end(self) -> None:
        """End the script: exit code 1 where anything was not as it should be."""
        raise SystemExit(0 if self.good else 1)


def lives(process: psutil.Process) -> bool:
    """Tell whether it runs; what ended and was not yet taken note of does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """The median, and what 95 of 100 stay below."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[round(last * 0.5)], ordered[round(last * 0.95)]


def name_of(path: bytes) -> str:
    return os.fsdecode(path).rsplit("/", 1)[-1]
