"""What reading makes of a folder: every file's fate, and its words beside another's.

Each file is read as the indexer reads it, in the limited child. For PDF, DOCX, EPUB and
HTML the words are compared with those of pdftotext or pandoc, which have to be installed:
which share of theirs, each counted as often as it occurs, has our text too.

python scripts/measure_reading.py FOLDER
python scripts/measure_reading.py FOLDER --types pdf,docx --least 0.95 --texts /tmp/texts
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pplx_local.documents import Reader
from pplx_local.errors import DocumentError

PANDOC = {"docx": "docx", "epub": "epub", "html": "html", "htm": "html"}
_OTHER_S = 120
_WORD = re.compile(r"[^\W_]+")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_TIMEOUT_S = 60.0


class Fate(NamedTuple):
    """What became of a file."""

    path: Path
    state: str
    reason: str
    seconds: float
    share: float | None
    """Of the other's words; None where there is no other."""
    missing: str
    """The words of the other's that are missing most."""

    @property
    def type(self) -> str:
        """Its extension."""
        return self.path.suffix[1:].lower()


def main() -> None:
    """Read all files, print what became of them, the slowest and the poorest by name."""
    options = _options()
    with _reader() as reader:
        fates = [_fate(reader, path, options) for path in _files(options)]
    print(_table(fates))
    _print_odd(fates, options.least)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--types", default="", help="only these, as in pdf,docx")
    parser.add_argument("--least", type=float, default=0.95)
    parser.add_argument("--texts", type=Path, help="a folder to keep both texts in")
    return parser.parse_args()


def _reader() -> Reader:
    return Reader(
        timeout_s=_TIMEOUT_S, memory_bytes=1_000_000_000, max_file_bytes=1_000_000_000
    )


def _files(options: argparse.Namespace) -> Iterator[Path]:
    types = set(filter(None, options.types.split(",")))
    for folder, names, files in os.walk(options.folder):
        names.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if not types or path.suffix[1:].lower() in types:
                yield path


def _fate(reader: Reader, path: Path, options: argparse.Namespace) -> Fate:
    start = time.perf_counter()
    text = state = reason = ""
    try:
        text = "".join(block.text for block in reader.read(os.fsencode(path)))
        state = "indexed"
    except DocumentError as error:
        state, reason = error.state, str(error)
    seconds = time.perf_counter() - start
    other = _other(path) if text else None
    share, missing = (None, "") if other is None else _compared(text, other)
    if options.texts:
        _keep(options.texts, path, text, other)
    return Fate(path, state, reason, seconds, share, missing)


def _other(path: Path) -> str | None:
    """Ask another program for the text; None where there is none, or it fails."""
    type_ = path.suffix[1:].lower()
    if type_ == "pdf":
        command = ["pdftotext", "-enc", "UTF-8", str(path), "-"]
    elif type_ in PANDOC:
        file = [] if PANDOC[type_] == "html" else [str(path)]
        command = ["pandoc", "-f", PANDOC[type_], "-t", "plain", "--wrap=none", *file]
    else:
        return None
    markup = _in_utf8(path) if PANDOC.get(type_) == "html" else None
    done = subprocess.run(
        command, input=markup, capture_output=True, timeout=_OTHER_S, check=False
    )
    return None if done.returncode else done.stdout.decode("utf-8", "replace")


def _in_utf8(path: Path) -> bytes:
    """Decode a page as it says itself: pandoc takes all for UTF-8."""
    data = path.read_bytes()
    stated = _CHARSET.search(data)
    charset = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    try:
        text = data.decode(charset or (stated[1].decode() if stated else "utf-8"))
    except (LookupError, UnicodeDecodeError):
        text = data.decode("utf-8", "replace")
    return text.encode()


def _compared(text: str, other: str) -> tuple[float, str]:
    ours, theirs = _words(text), _words(other)
    missing = theirs - ours
    total = theirs.total()
    share = 1 - missing.total() / total if total else 1.0
    return share, " ".join(f"{word} {n}" for word, n in missing.most_common(8))


def _words(text: str) -> Counter[str]:
    """Count words, ligatures and ways to write accents made equal."""
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _keep(folder: Path, path: Path, text: str, other: str | None) -> None:
    name = re.sub(r"[^\w.]+", "_", str(path))[-150:]
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"{name}.ours.txt").write_text(text, encoding="utf-8", errors="replace")
    if other is not None:
        (folder / f"{name}.other.txt").write_text(other, encoding="utf-8")


def _table(fates: list[Fate]) -> str:
    """Lay out a line for each type: files by state, seconds, shares of words."""
    by_type: defaultdict[str, list[Fate]] = defaultdict(list)
    for fate in fates:
        by_type[fate.type].append(fate)
    rows = [
        "| type | files | states | slowest | words: least, mean |",
        "|---" * 5 + "|",
    ]
    for type_, some in sorted(by_type.items(), key=lambda item: -len(item[1])):
        states = Counter(fate.state for fate in some)
        said = ", ".join(f"{state} {n}" for state, n in states.most_common())
        shares = [fate.share for fate in some if fate.share is not None]
        words = f"{min(shares):.3f}, {sum(shares) / len(shares):.3f}" if shares else ""
        slowest = max(fate.seconds for fate in some)
        rows.append(f"| {type_} | {len(some)} | {said} | {slowest:.1f} s | {words} |")
    return "\n".join(rows)


def _print_odd(fates: list[Fate], least: float) -> None:
    """Name what was not indexed, by its reason, and what lacks words."""
    reasons: defaultdict[tuple[str, str], list[Path]] = defaultdict(list)
    for fate in fates:
        if fate.state != "indexed":
            reasons[fate.state, fate.reason].append(fate.path)
    for (state, reason), paths in sorted(reasons.items(), key=lambda one: -len(one[1])):
        print(
            f"{len(paths):>5}  {state}: {reason or 'NO REASON'}  (such as {paths[0]})"
        )
    for fate in sorted(fates, key=lambda one: one.share or 0):
        if fate.share is not None and fate.share < least:
            print(f"{fate.share:.3f}  {fate.path}  lacks: {fate.missing}")
    if any(not fate.reason for fate in fates if fate.state != "indexed"):
        sys.exit("some files have no reason")


if __name__ == "__main__":
    main()
