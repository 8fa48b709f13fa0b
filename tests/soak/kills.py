"""`kill -9` at random moments of a real daemon; after each, the index equals the disk.

    python tests/soak/kills.py --kills 100
    python tests/soak/kills.py --kills 100 --model none --fresh-every 1

A seeded person creates, edits, renames and deletes files while the daemon runs, which is
killed, at times with its children, and started again. When it has settled, every file on
the disk must be in the index in its right state, and none else; the database must be
whole; and, every few kills and at the end, everything that a person can see, the hits of
50 queries with their spans and scores among it, must equal an index built from scratch.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from running import Daemon, Prose, Verdict, lives, running

from pplx_local.config import Settings
from pplx_local.daemon.client import RemoteIndex
from pplx_local.index import Index

N_QUERIES = 50
BROKEN_PDF = b"%PDF-1.7\nnot much of one"
BURST = 30
REACTION_S = 1.5
"""How long the daemon has something to do after a burst of changes, about."""
LATE_S = 15.0
"""A hint may come late: a difference that goes by itself within this is counted, apart
from those that stay."""

Picture = dict[str, object]


class Person:
    """Works on a folder, always in the same way for a seed."""

    def __init__(self, folder: Path, prose: Prose, n_files: int) -> None:
        self.folder, self.prose, self.rng = folder, prose, prose.rng
        self._n_files, self._n_made = n_files, 0
        (folder / "in" / "deeper").mkdir(parents=True)
        for _ in range(n_files):
            self.create()

    def work(self, seconds: float) -> int:
        """Change things for a while; return how many."""
        until, n_done = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            self.change()
            n_done += 1
            time.sleep(self.rng.expovariate(20))
        return n_done

    def change(self) -> None:
        """One change of any kind; the number of files hovers around the first."""
        has_room = len(self.files()) < self._n_files * self.rng.uniform(0.5, 1.5)
        kinds: list[Callable[[], None]] = [self.create if has_room else self.delete]
        kinds += [self.edit, self.edit, self.rename, self.copy]
        kinds += [self.save_by_rename, self.move_folder, self.delete]
        self.rng.choice(kinds)()

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def folders(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_dir())

    def new_path(self, suffix: str = ".txt") -> Path:
        self._n_made += 1
        place = self.rng.choice([self.folder, *self.folders()])
        return place / f"{self.rng.choice(self.prose.words)} {self._n_made}{suffix}"

    def create(self) -> None:
        kind = self.rng.random()
        if kind < 0.04:
            self.new_path().touch()
        elif kind < 0.08:
            self.new_path(".pdf").write_bytes(BROKEN_PDF)
        else:
            suffix = self.rng.choice([".txt", ".md"])
            text = self.prose.text(self.rng.randint(20, 600))
            self.new_path(suffix).write_text(text, encoding="utf-8")

    def texts(self) -> list[Path]:
        return [path for path in self.files() if path.suffix != ".pdf"]

    def edit(self) -> None:
        with self.rng.choice(self.texts()).open("a", encoding="utf-8") as file:
            file.write("\n\n" + self.prose.text(self.rng.randint(5, 60)))

    def save_by_rename(self) -> None:
        path = self.rng.choice(self.texts())
        temporary = path.with_name(f".{path.name}.saving")
        temporary.write_text(self.prose.text(self.rng.randint(20, 300)))
        temporary.replace(path)

    def rename(self) -> None:
        path = self.rng.choice(self.files())
        path.rename(self.new_path(path.suffix))

    def copy(self) -> None:
        path = self.rng.choice(self.files())
        shutil.copyfile(path, self.new_path(path.suffix))

    def delete(self) -> None:
        self.rng.choice(self.files()).unlink()
        if self.rng.random() < 0.02:
            shutil.rmtree(self.rng.choice(self.folders()))
            (self.folder / "in" / "deeper").mkdir(parents=True, exist_ok=True)

    def move_folder(self) -> None:
        if self.rng.random() < 0.2:
            path = self.rng.choice(self.folders())
            path.rename(self.folder / f"moved {self._n_made}")
            (self.folder / "in" / "deeper").mkdir(parents=True, exist_ok=True)
            self._n_made += 1


# --- what is compared ---


def differences_from_disk(settings: Settings, folder: Path) -> list[str]:
    """Compare the files that the index knows, and their states, with what is there."""
    expected = dict(on_disk(folder))
    with Index.open(settings, write=False) as index:
        damage = index.store.integrity_check()
        known = {file.path: file for file in index.files()}
    said = [f"damaged: {line}" for line in damage]
    said += [f"not in the index: {path!r}" for path in expected.keys() - known.keys()]
    said += [f"not on the disk: {path!r}" for path in known.keys() - expected.keys()]
    for path in expected.keys() & known.keys():
        file, (state, digest) = known[path], expected[path]
        if file.state != state:
            said.append(f"{path!r} is {file.state}, not {state}: {file.reason}")
        elif state == "indexed" and file.digest != digest:
            said.append(f"{path!r} is known with other contents")
    return said


def on_disk(folder: Path) -> Iterator[tuple[bytes, tuple[str, str]]]:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            state = "failed" if content == BROKEN_PDF else "indexed"
            digest = blake2b(content, digest_size=32).hexdigest()
            yield os.fsencode(path), (state if content else "empty", digest)


def picture(
    index: Index, searcher: Index | RemoteIndex, queries: Sequence[str]
) -> Picture:
    """All that a person can see."""
    status = index.status()
    seen: Picture = {
        "coverage": dict(status.coverage),
        "documents": status.documents,
        "chunks": status.chunks,
    }
    for file in index.files():
        seen[f"file {file.path!r}"] = (file.state, file.reason, file.digest)
    for query in queries:
        hits = searcher.search(query, k=20).hits
        seen[f"hits for {query!r}"] = [
            (hit.path, hit.char_span, hit.score) for hit in hits
        ]
    return seen


def differences_from_fresh(
    daemon: Daemon, folder: Path, queries: Sequence[str]
) -> list[str]:
    with Index.open(daemon.settings, write=False) as index:
        found = picture(index, daemon.client, queries)
    expected = fresh_picture(daemon.settings, folder, queries)
    return [
        f"{key}: {found.get(key)} and, from scratch, {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    ]


def fresh_picture(settings: Settings, folder: Path, queries: Sequence[str]) -> Picture:
    with (
        tempfile.TemporaryDirectory(prefix="pplx-local-fresh-") as home,
        Index.open(replace(settings, home=Path(home).resolve()), write=True) as index,
    ):
        index.add_folder(folder)
        for _ in index.update():
            pass
        return picture(index, index, queries)


# --- the run ---


class Run:
    """Kills, and what came of them."""

    def __init__(self, daemon: Daemon, person: Person, queries: Sequence[str]) -> None:
        self.daemon, self.person, self.queries = daemon, person, queries
        self.rng = person.rng
        self.n_busy = self.n_late = self.n_changes = self.n_orphans = 0

    def kill_once(self, longest_s: float) -> None:
        """Work, kill, work on, start again, and wait until it has settled."""
        self.n_changes += self.person.work(self.rng.uniform(0, longest_s))
        for _ in range(self.rng.randint(0, BURST)):
            self.person.change()
        time.sleep(self.rng.uniform(0, REACTION_S))
        state = self.daemon.client.status()
        self.n_busy += state.queue.waiting > 0 or state.daemon.doing is not None
        children = self.daemon.children()
        self.daemon.kill(children=self.rng.random() < 0.33)
        for _ in range(self.rng.randint(0, 5)):
            self.person.change()
        since_ns = time.time_ns()
        self.daemon.start()
        if self.rng.random() < 0.5:
            self.n_changes += self.person.work(self.rng.uniform(0, 1))
        self.daemon.settle(since_ns)
        self.n_orphans += sum(map(lives, children))

    def differences(self, *, fresh: bool) -> list[str]:
        """Compare; what comes right within a while is late and not wrong."""
        until = time.monotonic() + LATE_S
        said = self._differences(fresh=fresh)
        self.n_late += bool(said)
        while said and time.monotonic() < until:
            time.sleep(1)
            self.daemon.settle()
            said = self._differences(fresh=fresh)
        return said

    def _differences(self, *, fresh: bool) -> list[str]:
        said = differences_from_disk(self.daemon.settings, self.person.folder)
        if fresh and not said:
            said = differences_from_fresh(self.daemon, self.person.folder, self.queries)
        return said


def main() -> None:
    """Kill, compare, and end with 1 at the first difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--model", default="auto", help="none for keywords only")
    parser.add_argument("--longest-s", type=float, default=3.0, help="until a kill")
    parser.add_argument("--fresh-every", type=int, default=10)
    options = parser.parse_args()
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="pplx-local-kills-") as place:
        root = Path(place).resolve()
        prose = Prose(options.seed)
        person = Person(root / "documents", prose, options.files)
        with running(root / "home", options.model) as daemon:
            daemon.client.add_folder(person.folder)
            queries = [prose.query() for _ in range(N_QUERIES)]
            run_all(Run(daemon, person, queries), options, verdict)
    verdict.end()


def run_all(run: Run, options: argparse.Namespace, verdict: Verdict) -> None:
    for number in range(1, options.kills + 1):
        run.kill_once(options.longest_s)
        fresh = number % options.fresh_every == 0 or number == options.kills
        if said := run.differences(fresh=fresh):
            verdict.say(f"kill {number} of seed {options.seed}: {said[0]}", False)
            print("\n".join(said[1:20]))
            return
        if fresh:
            print(f"{number} kills: equal to an index from scratch", flush=True)
    verdict.say(
        f"{options.kills} kills, {run.n_busy} of them at work, {run.n_changes} changes: "
        "states, hits and scores as from scratch, no damage",
        True,
    )
    verdict.say(f"{run.n_late} times something came only after it seemed done", True)
    verdict.say(f"{run.n_orphans} children outlived their daemon", not run.n_orphans)


if __name__ == "__main__":
    main()
