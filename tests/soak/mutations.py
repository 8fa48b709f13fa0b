"""Thousands of damaged files indexed: no crash, no hang, nothing taken that is not given.

    python tests/soak/mutations.py
    python tests/soak/mutations.py --files 200 --seed 7 --samples ~/Documents

Real files of all formats are copied with flipped bits, cut off, patched together, or
under another format's name, the same for a seed; between them lie whole ones. Then the
folder is indexed, keywords only. What the indexer does, how long it is silent, what the
reader's child takes and what is written anywhere is watched. The samples are not changed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from running import Verdict

from pplx_local.config import Settings
from pplx_local.documents import kind_of
from pplx_local.index import Index
from pplx_local.models import Profile
from pplx_local.records import FileRecord

SHARED = Path(__file__).resolve().parents[3] / "shared"
SAMPLES = (SHARED / "folders" / "home", SHARED / "nasty")
MAX_SAMPLE_BYTES = 2_000_000
FILES_PER_NEIGHBOUR = 10
SLACK_S = 10.0
"""Beyond the limit: a child has to be started anew, and a machine may be busy."""
SAMPLE_EVERY_S = 0.02
OWN_BYTES = 150_000_000
"""What a child has before it reads, at most."""

DEFECTS = "its reader (crashed|was|answered|could)|reading took|needed more"
"""Reasons that a parser should have found better words for."""

Mutation = Callable[[random.Random, bytearray], None]


def main() -> None:
    """Damage, index, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=20_261_122)
    parser.add_argument("--samples", type=Path, nargs="+", default=SAMPLES)
    parser.add_argument("--timeout-s", type=float, default=20.0)
    parser.add_argument("--memory-mb", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pplx-local-mutations-") as place:
        root = Path(place).resolve()
        folder, elsewhere = root / "documents", root / "elsewhere"
        for path in (folder, elsewhere):
            path.mkdir()
        n_neighbours = Damage(options.seed, options.samples).write(
            folder, options.files
        )
        print(f"{options.files} damaged files, {n_neighbours} whole ones", flush=True)
        keep_to(elsewhere)
        before = traces(folder)
        settings = Settings(
            home=root / "home",
            model="none",
            read_timeout_s=options.timeout_s,
            read_memory_bytes=options.memory_mb * 1_000_000,
        )
        verdict = Verdict()
        index_and_judge(settings, folder, n_neighbours, verdict)
        verdict.say("the files are as they were", traces(folder) == before)
        written = sorted(elsewhere.rglob("*"))
        verdict.say(f"written outside of the home: {written or 'nothing'}", not written)
    verdict.end()


def keep_to(folder: Path) -> None:
    """Let everything that writes without saying where write to an empty folder."""
    os.chdir(folder)
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ[name] = str(folder)
    tempfile.tempdir = str(folder)


def traces(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Note what writing to files would change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found


# --- damaged files -----------------------------------------------------------


class Damage:
    """Makes damaged files of samples; the same ones for a seed and samples."""

    def __init__(self, seed: int, samples: Sequence[Path]) -> None:
        self._random = random.Random(seed)
        self._by_type = defaultdict(list)
        for path in sorted(path for folder in samples for path in folder.rglob("*")):
            is_sample = path.is_file() and not path.is_symlink()
            is_read = kind_of(os.fsencode(path)).reason is None
            if is_sample and is_read and path.stat().st_size <= MAX_SAMPLE_BYTES:
                self._by_type[path.suffix.lower()].append(path)
        if not self._by_type:
            raise SystemExit(f"no samples in {', '.join(map(str, samples))}")

    def write(self, folder: Path, n_files: int) -> int:
        """Write damaged files, and whole ones between them; count those."""
        n_neighbours = 0
        for number in range(n_files):
            place = folder / f"{number // 100:03}"
            place.mkdir(exist_ok=True)
            if number % FILES_PER_NEIGHBOUR == 0:
                text = f"The word of this one is needle{number}x.\n"
                (place / f"{number:05}-whole.txt").write_text(text)
                n_neighbours += 1
            name, data = self._one()
            (place / f"{number:05}-{name}").write_bytes(data)
        return n_neighbours

    def _one(self) -> tuple[str, bytes]:
        types = sorted(self._by_type)
        type_ = self._random.choice(types)
        sample = self._random.choice(self._by_type[type_])
        data = bytearray(sample.read_bytes())
        damage = self._random.choice([*MUTATIONS, "swap"])
        if damage == "swap":
            type_ = self._random.choice(types)
        if data and damage != "swap":
            MUTATIONS[damage](self._random, data)
        return f"{damage}-{sample.stem[:60]}{type_}", bytes(data)


def flip(rng: random.Random, data: bytearray) -> None:
    """Flip some bits anywhere."""
    for _ in range(2 ** rng.randint(0, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_head(rng: random.Random, data: bytearray) -> None:
    """Flip bits where formats say how long things are."""
    for _ in range(rng.randint(1, 16)):
        data[rng.randrange(min(len(data), 512))] ^= 1 << rng.randrange(8)


def truncate(rng: random.Random, data: bytearray) -> None:
    """Cut it off."""
    del data[rng.randrange(len(data)) :]


def cut(rng: random.Random, data: bytearray) -> None:
    """Take a piece out."""
    start = rng.randrange(len(data))
    del data[start : start + rng.randint(1, 5_000)]


def blank(rng: random.Random, data: bytearray) -> None:
    """Write zeros over a piece, as a disk does that lost a block."""
    start = rng.randrange(len(data)) & ~0x1FF
    end = min(start + 4_096, len(data))
    data[start:end] = bytes(end - start)


def repeat(rng: random.Random, data: bytearray) -> None:
    """Put a piece of it in once more, many times."""
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 2_000)]
    data[start:start] = piece * rng.randint(1, 200)


def enlarge_numbers(rng: random.Random, data: bytearray) -> None:
    """Make the numbers larger that say how many, where they are written out."""
    places = [match.span() for match in re.finditer(rb"\d+", data[:200_000])]
    for start, end in rng.sample(places, min(len(places), 20)):
        data[start:end] = b"9" * (end - start)


MUTATIONS: dict[str, Mutation] = {
    one.__name__: one
    for one in (flip, flip_head, truncate, cut, blank, repeat, enlarge_numbers)
}


# --- indexing them -----------------------------------------------------------


class Watch:
    """Samples what the children take, and how long nothing is heard."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self.longest_s = 0.0
        self.children: set[int] = set()
        self._heard = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def hear(self) -> None:
        """Note a sign of life."""
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - self._heard)
        self._heard = now

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        me = psutil.Process()
        while not self._ended.wait(SAMPLE_EVERY_S):
            for child in me.children():
                self.children.add(child.pid)
                self.most_bytes = max(self.most_bytes, resident_bytes(child))


def resident_bytes(child: psutil.Process) -> int:
    """Measure what a process takes, with those that it has started."""
    with suppress(psutil.Error):
        family = (child, *child.children(recursive=True))
        return sum(one.memory_info().rss for one in family)
    return 0


def index_and_judge(
    settings: Settings, folder: Path, n_neighbours: int, verdict: Verdict
) -> None:
    watch, began = Watch(), time.monotonic()
    try:
        with Index.open(settings, write=True, profile=Profile(None, None)) as index:
            index.add_folder(folder)
            for _ in index.update():
                watch.hear()
            files = list(index.files())
            words = range(0, n_neighbours * FILES_PER_NEIGHBOUR, FILES_PER_NEIGHBOUR)
            hits = [len(index.search(f"needle{number}x").hits) for number in words]
    finally:
        watch.end()
    took_s = time.monotonic() - began
    print(f"{took_s:.0f} s, {len(watch.children)} children", flush=True)
    tell_of(files)
    verdict.say("the indexer came to its end", good=True)
    judge_ends(files, folder, verdict)
    limit_s = settings.read_timeout_s + SLACK_S
    verdict.check("longest silence", watch.longest_s, limit_s, " s")
    limit = settings.read_memory_bytes + OWN_BYTES
    verdict.check("a child's memory", watch.most_bytes / 1e6, limit / 1e6, " MB")
    n_found = sum(n_hits == 1 for n_hits in hits)
    verdict.say(
        f"whole files found by their word: {n_found} of {n_neighbours}",
        n_found == n_neighbours,
    )


def tell_of(files: Sequence[FileRecord]) -> None:
    """Print how they ended, and those that their parser did not survive."""
    for state, n_files in Counter(file.state for file in files).most_common():
        print(f"  {n_files:5} {state}")
    reasons = Counter(re.sub(r"\d+", "0", f.reason) for f in files if f.reason)
    for reason, n_files in reasons.most_common():
        print(f"  {n_files:5} {reason}")
    for file in files:
        if file.reason and re.match(DEFECTS, file.reason):
            name = os.fsdecode(file.path).rsplit("/", 1)[-1]
            print(f"  {name}: {file.reason}")


def judge_ends(files: Sequence[FileRecord], folder: Path, verdict: Verdict) -> None:
    n_there = sum(len(names) for _, _, names in os.walk(folder))
    verdict.check("files that nothing is said of", n_there - len(files), 0)
    open_ = [
        file
        for file in files
        if file.state == "pending" or (file.state != "indexed" and not file.reason)
    ]
    verdict.check("files without an end or a reason", len(open_), 0)


if __name__ == "__main__":
    main()
