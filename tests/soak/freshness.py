"""How soon a saved file is found, what a search waits for, and what idleness costs.

    python tests/soak/freshness.py
    python tests/soak/freshness.py --files 500 --drop 100 --watched 2000 --idle-s 20

One after another, under one daemon with a model: files that are saved one by one, in an
index of many; a folder of new ones that appears at once; searches while nothing happens,
and while every file is read and embedded anew. Then, in a home of its own with keywords
alone, a daemon that watches very many files and has nothing to do.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from running import Daemon, Prose, Verdict, name_of, quantiles, running

from pplx_local.daemon.client import connect
from pplx_local.errors import PplxLocalError
from pplx_local.records import Mode

FILES_PER_FOLDER = 20
SAVED_S = 2.0
SLOWER = 2.0
"""A search during a full re-index, to its idle time."""
IDLE_BYTES = 90e6
IDLE_CORE = 0.005
LOST_S = 300.0


def main() -> None:
    """Measure, compare with what is promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--saves", type=int, default=100)
    parser.add_argument("--drop", type=int, default=1000, help="files at once")
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument(
        "--busy-searches", type=int, default=10_000, help="at most, during a re-index"
    )
    parser.add_argument("--watched", type=int, default=50_000, help="0 leaves it out")
    parser.add_argument("--idle-s", type=float, default=120.0)
    parser.add_argument("--words", type=int, default=80, help="in each file")
    parser.add_argument("--model", default="auto", help="none for keywords only")
    options = parser.parse_args()
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="pplx-local-fresh-") as place:
        root = Path(place).resolve()
        if options.files:
            measure_working(root, options, verdict)
        if options.watched:
            measure_idle(root, options, verdict)
    verdict.end()


def measure_working(root: Path, options: argparse.Namespace, verdict: Verdict) -> None:
    prose = Prose(10_000)
    folder = root / "documents"
    write_files(folder, options.files, options.words, prose)
    with running(root / "home", options.model) as daemon:
        started = time.monotonic()
        for _ in daemon.client.add([folder]):
            pass
        daemon.settle()
        print(f"{options.files} files indexed in {time.monotonic() - started:.0f} s")
        save_one_by_one(daemon, folder, options.saves, prose, verdict)
        drop_at_once(daemon, root, folder, options.drop, prose, verdict)
        search_meanwhile(daemon, folder, options, prose, verdict)


def write_files(folder: Path, n_files: int, n_words: int, prose: Prose) -> None:
    for number in range(n_files):
        place = folder / f"{number // FILES_PER_FOLDER:05}"
        place.mkdir(parents=True, exist_ok=True)
        text = prose.text(n_words)
        (place / f"{number:06}.txt").write_text(text, encoding="utf-8")


# --- from saving to finding ---


def save_one_by_one(
    daemon: Daemon, folder: Path, n_saves: int, prose: Prose, verdict: Verdict
) -> None:
    by_word, by_sense = [], []
    has_model = any(daemon.client.status().profile.values())
    for number in range(n_saves):
        path = folder / f"{prose.rng.randrange(5):05}" / f"saved {number}.txt"
        word = f"saved{number}x"
        # Made-up words have no sense: the text itself is what is nearest to it.
        sentence = f"{word} {prose.text(12)}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(sentence, encoding="utf-8")
        saved = time.monotonic()
        by_word.append(until_found(daemon, word, path.name, "lexical") - saved)
        if has_model:
            sense = until_found(daemon, sentence, path.name, "dense")
            by_sense.append(sense - saved)
    median, late = quantiles(by_word)
    print(f"from saving to finding by words: median {median:.2f} s")
    verdict.check("from saving to finding by words, p95", late, SAVED_S, " s")
    if by_sense:
        median, late = quantiles(by_sense)
        print(
            f"from saving to finding by sense: median {median:.2f} s, p95 {late:.2f} s"
        )


def until_found(daemon: Daemon, query: str, name: str, mode: Mode) -> float:
    """Search until the file is found; return when that was."""
    until = time.monotonic() + LOST_S
    while time.monotonic() < until:
        if name in names(daemon, query, mode):
            return time.monotonic()
        time.sleep(0.02)
    raise SystemExit(f"NOT  {name} was not found ({mode}) within {LOST_S:.0f} s")


def names(daemon: Daemon, query: str, mode: Mode = "lexical") -> list[str]:
    hits = daemon.client.search(query, k=10, mode=mode).hits
    return [name_of(hit.path) for hit in hits]


def drop_at_once(
    daemon: Daemon,
    root: Path,
    folder: Path,
    n_files: int,
    prose: Prose,
    verdict: Verdict,
) -> None:
    staged = root / "staged"
    staged.mkdir()
    words = {
        f"{number:05} dropped.txt": f"dropped{number}x" for number in range(n_files)
    }
    for name, word in words.items():
        (staged / name).write_text(f"{word} {prose.text(60)}", encoding="utf-8")
    dropped = time.monotonic()
    staged.rename(folder / "dropped")
    for name, word in words.items():
        until_found(daemon, word, name, "lexical")
    print(f"{n_files} files at once: found after {time.monotonic() - dropped:.1f} s")
    daemon.settle()
    print(f"and embedded after {time.monotonic() - dropped:.1f} s")
    wrong = [name for name, word in words.items() if names(daemon, word) != [name]]
    verdict.say(f"{len(wrong)} of {n_files} missing or found twice", not wrong)


# --- searching while it works ---


def search_meanwhile(
    daemon: Daemon,
    folder: Path,
    options: argparse.Namespace,
    prose: Prose,
    verdict: Verdict,
) -> None:
    queries = [prose.query() for _ in range(options.searches)]
    latencies(daemon, queries[:20], lambda: True)  # the model is there, pages are read
    idle = quantiles(latencies(daemon, queries, lambda: True))
    print(f"search, idle: median {idle[0]:.0f} ms, p95 {idle[1]:.0f} ms")
    for path in sorted(folder.rglob("*.txt")):
        path.write_text(f"{path.stem} {prose.text(options.words)}", encoding="utf-8")
    updating = threading.Thread(target=update, args=(daemon.home,))
    updating.start()
    rounds = -(-options.busy_searches // len(queries))
    often = (queries * rounds)[: options.busy_searches]
    took = latencies(daemon, often, updating.is_alive)
    busy = quantiles(took)
    print(
        f"search, {len(took)} times while all is indexed anew: median {busy[0]:.0f} ms, "
        f"p95 {busy[1]:.0f} ms"
    )
    verdict.check(
        "p95 of a search during a full re-index, to idle", busy[1] / idle[1], SLOWER
    )
    if len(took) < len(often):
        updating.join()


def update(home: Path) -> None:
    """Follow an update to its end, over a connection of its own."""
    if client := connect(home):
        with client, suppress(PplxLocalError):  # the daemon may be ended before
            for _ in client.update():
                pass


def latencies(
    daemon: Daemon, queries: Sequence[str], go_on: Callable[[], bool]
) -> list[float]:
    """Milliseconds of each search, with a person's pause between two."""
    took = []
    for query in queries:
        if not go_on():
            break
        started = time.monotonic()
        daemon.client.search(query)
        took.append((time.monotonic() - started) * 1000)
        time.sleep(0.05)
    return took or [0.0]


# --- doing nothing ---


def measure_idle(root: Path, options: argparse.Namespace, verdict: Verdict) -> None:
    folder = root / "watched"
    prose = Prose(50_000)
    write_files(folder, options.watched, 12, prose)
    # Should the model be asked for, it is given back before the measuring starts.
    with running(root / "idle", "none", idle_minutes=0.05) as daemon:
        for _ in daemon.client.add([folder]):
            pass
        daemon.settle()
        latencies(daemon, [prose.query() for _ in range(20)], lambda: True)
        print(f"watching {options.watched} files: {watching(daemon)}")
        idle(daemon, "after indexing", options.idle_s, verdict)
        daemon.stop()
        since_ns = time.time_ns()
        daemon.start()
        daemon.settle(since_ns)
        idle(daemon, "after a start", options.idle_s, verdict)


def watching(daemon: Daemon) -> str:
    watched = [folder.watching for folder in daemon.client.status().folders]
    return ", ".join(f"by {one.how} {one.reason or ''}" for one in watched if one)


def idle(daemon: Daemon, when: str, seconds: float, verdict: Verdict) -> None:
    """Leave it alone for a while; what it does first, such as tidying, is no idleness."""
    time.sleep(min(90.0, seconds))
    before, started = daemon.cpu_s(), time.monotonic()
    time.sleep(seconds)
    core = (daemon.cpu_s() - before) / (time.monotonic() - started)
    of_daemon, of_children = daemon.resident_bytes()
    print(f"{when}: {of_children / 1e6:.0f} MB in {len(daemon.children())} children")
    verdict.check(
        f"{when}: memory of the daemon", of_daemon / 1e6, IDLE_BYTES / 1e6, " MB"
    )
    verdict.check(f"{when}: share of a core", core * 100, IDLE_CORE * 100, " %")


if __name__ == "__main__":
    main()
