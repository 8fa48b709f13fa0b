"""Peak memory of indexing: a folder of made-up prose, and the whole process tree watched.

python scripts/measure_memory.py --megabytes 50
python scripts/measure_memory.py --megabytes 2000 --keywords-only
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

WORDS_PER_PARAGRAPH = 400
SAMPLE_EVERY_S = 0.2


def main() -> None:
    """Make the folder, index it, print the peaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--file-megabytes", type=float, default=1.0)
    parser.add_argument("--keywords-only", action="store_true")
    parser.add_argument("--stop-after-s", type=float, default=float("inf"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pplx-local-memory-") as folder:
        root = Path(folder)
        home, documents = root / "home", root / "documents"
        home.mkdir(mode=0o700)
        if options.keywords_only:
            (home / "config.toml").write_text('model = "none"\n')
        write_documents(documents, options.megabytes, options.file_megabytes)
        watch(home, documents, options.stop_after_s)


def write_documents(folder: Path, megabytes: int, file_megabytes: float) -> None:
    """Write prose whose words are as unequal as a language's."""
    folder.mkdir()
    rng = np.random.default_rng(50)
    words = np.array([make_word(random.Random(n)) for n in range(60_000)])
    ranks = (rng.pareto(1.0, 400_000) * 40).astype(int) % len(words)
    for number in range(int(megabytes / file_megabytes)):
        size = 0
        with (folder / f"{number:05}.txt").open("w", encoding="utf-8") as file:
            while size < file_megabytes * 1e6:
                picked = words[ranks[rng.integers(0, len(ranks), WORDS_PER_PARAGRAPH)]]
                size += file.write(" ".join(picked).replace(" q", ".\nQ") + ".\n\n")


def make_word(rng: random.Random) -> str:
    """Make a word of two to five syllables."""
    syllables = "".join(rng.choices("bcdfgklmnpqrstvw")) + rng.choice("aeiou")
    return (
        "".join(
            rng.choice("bcdfgklmnpqrstvw") + rng.choice("aeiou")
            for _ in range(rng.randint(1, 4))
        )
        + syllables
    )


def watch(home: Path, documents: Path, stop_after_s: float) -> None:
    """Run `pplx-local add` and sample the memory of all its processes."""
    command = [sys.executable, "-m", "pplx_local", "--home", str(home), "add"]
    started = time.monotonic()
    process = psutil.Popen([*command, str(documents)], stderr=subprocess.DEVNULL)
    peaks: dict[str, float] = {}
    model_mb = 0.0
    while process.poll() is None and time.monotonic() - started < stop_after_s:
        sizes = tree_megabytes(process)
        for name, size in sizes.items():
            peaks[name] = max(peaks.get(name, 0), size)
        peaks["all together"] = max(peaks.get("all together", 0), sum(sizes.values()))
        model_mb = model_mb or sizes.get("encoder", 0) * (sizes.get("encoder", 0) > 400)
        time.sleep(SAMPLE_EVERY_S)
    took = time.monotonic() - started
    if process.is_running():
        process.terminate()
    print(f"took {took:.0f} s; exit code {process.wait()}")
    for name, size in peaks.items():
        print(f"peak of {name}: {size:.0f} MB")
    database = (home / "index.db").stat().st_size / 1e6
    print(f"database: {database:.0f} MB")


def tree_megabytes(process: psutil.Popen) -> dict[str, float]:
    """Resident megabytes by part; memory that processes share counts in each."""
    sizes: dict[str, float] = {}
    for one in [process, *process.children(recursive=True)]:
        try:
            line = " ".join(one.cmdline())
            size = one.memory_info().rss / 1e6
        except psutil.Error:
            continue
        part = "indexer" if one == process else name_of(line)
        sizes[part] = sizes.get(part, 0) + size
    return sizes


def name_of(command_line: str) -> str:
    """Tell the children apart by how they were started."""
    for name in ("encoding", "documents", "resource_tracker"):
        if name in command_line:
            return {"encoding": "encoder", "documents": "reader"}.get(name, name)
    return "child"


if __name__ == "__main__":
    main()
