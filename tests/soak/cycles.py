"""Thousands of edits under one daemon: memory, files, WAL and database stay as they are.

    python tests/soak/cycles.py --cycles 20000
    python tests/soak/cycles.py --cycles 2000 --model none

Files are edited in turn, a batch at a time; each batch must have been read and embedded
before the next comes, so that every edit counts; an update is asked for after each. What the daemon and its children take is
sampled every 100 edits and shown by quarters; the last must be like the second.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from running import Daemon, Prose, Verdict, name_of, running

SAMPLE_EVERY = 100
WAL_BYTES = 64_000_000
GROWTH = 1.05
"""The last quarter to the second."""
DATABASE_GROWTH = 1.10


class Sample(NamedTuple):
    """What was there after some edits, in bytes."""

    daemon: int
    children: int
    open_files: int
    wal: int
    database: int


def main() -> None:
    """Edit, sample, compare the quarters."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--batch", type=int, default=50, help="edits at a time")
    parser.add_argument("--words", type=int, default=120, help="in each file")
    parser.add_argument("--model", default="auto", help="none for keywords only")
    options = parser.parse_args()
    if options.batch > options.files or options.cycles < 8 * SAMPLE_EVERY:
        parser.error("a batch is at most all files; a quarter needs two samples")
    with tempfile.TemporaryDirectory(prefix="pplx-local-cycles-") as place:
        root = Path(place).resolve()
        folder = root / "documents"
        folder.mkdir()
        editor = Editor(folder, options.files, options.words)
        with running(root / "home", options.model) as daemon:
            for _ in daemon.client.add([folder]):
                pass
            samples = cycle(daemon, editor, options.cycles, options.batch)
    judge(samples)


class Editor:
    """Writes each file anew in its turn."""

    def __init__(self, folder: Path, n_files: int, n_words: int) -> None:
        self._prose, self._n_words, self.n_edits = Prose(20_000), n_words, 0
        self._paths = [folder / f"{number:03}.txt" for number in range(n_files)]
        for _ in self._paths:
            self.edit()

    def edit(self) -> tuple[str, str]:
        """Write the next file; return its name and a word that is nowhere else."""
        path = self._paths[self.n_edits % len(self._paths)]
        word = f"edit{self.n_edits}x"
        text = f"{word} {self._prose.text(self._n_words)}"
        path.write_text(text, encoding="utf-8")
        self.n_edits += 1
        return path.name, word


def cycle(daemon: Daemon, editor: Editor, n_cycles: int, batch: int) -> list[Sample]:
    started, done, samples = time.monotonic(), 0, []
    while done < n_cycles:
        edits = [editor.edit() for _ in range(min(batch, n_cycles - done))]
        wait_until_found(daemon, edits)
        done += len(edits)
        if done // SAMPLE_EVERY > len(samples):
            samples.append(sample(daemon))
            if len(samples) % 10 == 0:
                pace = done / (time.monotonic() - started)
                print(f"{done} edits, {pace:.0f}/s: {samples[-1]}", flush=True)
    return samples


def wait_until_found(daemon: Daemon, edits: Sequence[tuple[str, str]]) -> None:
    """Wait until each file is found by its new word, and is in every leg."""
    # The watcher lets a file rest that is saved again and again; who asks gets it at once.
    for _ in daemon.client.update():
        pass
    # The watcher lets a file rest that is saved again and again; who asks gets it at once.
    for _ in daemon.client.update():
        pass
    for name, word in edits:
        until = time.monotonic() + 60
        while name not in found(daemon, word):
            if time.monotonic() > until:
                raise SystemExit(f"NOT  {name} was not found by {word} within 60 s")
            time.sleep(0.02)
    daemon.settle()


def found(daemon: Daemon, word: str) -> list[str]:
    hits = daemon.client.search(word, k=3, mode="lexical").hits
    return [name_of(hit.path) for hit in hits]


def sample(daemon: Daemon) -> Sample:
    in_daemon, in_children = daemon.resident_bytes()
    database = daemon.settings.database
    wal = database.with_name(f"{database.name}-wal")
    return Sample(
        in_daemon,
        in_children,
        daemon.open_files(),
        wal.stat().st_size if wal.exists() else 0,
        database.stat().st_size,
    )


def judge(samples: Sequence[Sample]) -> None:
    verdict = Verdict()
    size = len(samples) // 4
    quarters = [samples[n * size : (n + 1) * size] for n in range(4)]
    for name in Sample._fields:
        middles = [median(getattr(one, name) for one in part) for part in quarters]
        print(f"{name}, median by quarter: {', '.join(f'{m:,.0f}' for m in middles)}")
    ratio = {name: grown(quarters, name) for name in Sample._fields}
    verdict.check(
        "memory of the daemon, last quarter to second", ratio["daemon"], GROWTH
    )
    verdict.check("memory of its children", ratio["children"], GROWTH)
    verdict.check("open files", ratio["open_files"], GROWTH)
    verdict.check("database", ratio["database"], DATABASE_GROWTH)
    verdict.check(
        "largest WAL", max(one.wal for one in samples) / 1e6, WAL_BYTES / 1e6, " MB"
    )
    verdict.end()


def grown(quarters: Sequence[Sequence[Sample]], name: str) -> float:
    second, last = (median(getattr(one, name) for one in quarters[n]) for n in (1, 3))
    return last / second if second else 1.0


if __name__ == "__main__":
    main()
