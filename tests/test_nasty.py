"""A folder of hostile files, indexed whole: each ends as it should, or it is said why not.

The folder is made by a program of ../shared; its table says what should become of each.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from pplx_local.config import Settings
from pplx_local.index import Index
from pplx_local.models import Profile
from pplx_local.records import FileRecord, State

MAKER = Path(__file__).parents[2] / "shared" / "nasty" / "make_nasty.py"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not MAKER.is_file(), reason="needs the hostile files of ../shared/nasty"
    ),
]

WIDE_FILES = 100
"""Of 3,000 that lie in one folder: the rest would only take its time."""

TOO_LONG = {
    "archives/many_paras.docx": "300,000 paragraphs, all of them read",
    "pdf/same_page_many.pdf": "20,000 pages, all of them read",
}
"""They are indexed, but take as long as all other files together."""

PASSED_FOLDERS = ("fs/.git/config", "fs/node_modules/x/README.md")
"""Files in folders that are passed over as a whole."""

ANY: frozenset[State] = frozenset(
    {"indexed", "no_text", "empty", "skipped", "failed"},
)
INDEXED: frozenset[State] = frozenset({"indexed"})
PASSED_OVER: frozenset[State] = frozenset({"skipped", "empty", "no_text"})
REFUSED: frozenset[State] = frozenset({"failed", "skipped"})

MEANT = {
    "index": INDEXED,
    "repair": INDEXED,
    "skip": PASSED_OVER,
    "not": PASSED_OVER,
    "error": REFUSED,
    # These say how, not whether: what they forbid would be no state at all.
    **dict.fromkeys(("bounded", "no", "never", "as", "-"), ANY),
}
"""The states that the first word of an expectation allows; `or` stands between two."""

DIFFERENT: dict[str, tuple[State, str]] = {
    "markup/deep_div.html": (
        "failed",
        "the parser would take the square of the time, so it is refused, and told so",
    ),
    "archives/bad_crc.docx": (
        "indexed",
        "the damage lies in a part that no text comes from, and costs no other",
    ),
    "pdf/zero_pages.pdf": (
        "failed",
        "pdfium opens no file without pages, and has no other word for it than damaged",
    ),
    "pdf/length_loop.pdf": (
        "no_text",
        "pdfium finds the end of the stream by itself; there is no text in it",
    ),
    "pdf/million_count.pdf": (
        "no_text",
        "the one page that is there is read, and has no text",
    ),
    "pdf/form_loop.pdf": (
        "no_text",
        "what draws itself is drawn once, and has no text",
    ),
    "names/...": ("skipped", "a name that begins with a dot is a hidden file's"),
    "fs/link_to_real.md": (
        "skipped",
        "links are not followed; the file that it leads to is indexed, once",
    ),
}
"""What becomes of a file instead, and why that is right, or has to do."""

AS_ROOT: dict[str, tuple[State, str]] = dict.fromkeys(
    ("fs/unreadable.md", "fs/noenter/x.md"),
    ("indexed", "permissions mean nothing to root"),
)
if os.geteuid() == 0:
    DIFFERENT |= AS_ROOT


class Made(NamedTuple):
    """The folder, and what the index says of it."""

    folder: Path
    index: Index
    files: dict[str, FileRecord]
    """By their paths as the table writes them."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    root = tmp_path_factory.mktemp("nasty").resolve()
    folder = root / "made"
    subprocess.run([sys.executable, MAKER, folder], check=True, capture_output=True)
    for file in sorted((folder / "fs/wide").iterdir())[WIDE_FILES:]:
        file.unlink()
    for name in TOO_LONG:
        (folder / name).unlink()
    settings = Settings(home=root / "home", model="none", read_timeout_s=60.0)
    with Index.open(settings, write=True, profile=Profile(None, None)) as index:
        index.add_folder(folder)
        for _ in index.update():
            pass
        files = {written(file.path, folder): file for file in index.files()}
        yield Made(folder, index, files)
    (folder / "fs/noenter").chmod(0o700)


def written(path: bytes, folder: Path) -> str:
    """Write a path as the table does."""
    below = path.removeprefix(os.fsencode(folder) + b"/")
    return below.decode("utf-8", "backslashreplace").encode("unicode_escape").decode()


def expectations(folder: Path) -> Iterator[tuple[str, str]]:
    lines = (folder / "EXPECTED.tsv").read_text("utf-8").splitlines()
    for line in lines[1:]:
        path, expected, _ = line.split("\t")
        yield path, expected


def allowed(expected: str) -> frozenset[State]:
    plain = re.sub(r"\([^)]*\)", "", expected).partition(";")[0]
    firsts = (re.match(r"\w+|-", way.strip()) for way in plain.split(" or "))
    return frozenset[State]().union(*(MEANT[first[0]] for first in firsts if first))


def test_each_file_ends_as_it_should_or_it_is_said_why_not(made: Made) -> None:
    rows = dict(expectations(made.folder))
    assert len(rows) >= 230
    wrong = {}
    for path, expected in rows.items():
        file = made.files.get(path)
        states = (
            frozenset({DIFFERENT[path][0]}) if path in DIFFERENT else allowed(expected)
        )
        if file and file.state not in states:
            wrong[path] = expected, file.state, file.reason
    assert wrong == {}
    assert DIFFERENT.keys() <= rows.keys()


def test_only_what_is_no_file_or_cannot_be_reached_has_no_state(made: Made) -> None:
    rows = dict(expectations(made.folder))
    locked = {"fs/noenter/x.md"}  # in a folder that only root can look into
    assert rows.keys() - made.files.keys() - locked == {
        "fs/deep/.../bottom.md",
        "fs/wide/",
        *PASSED_FOLDERS,
        *TOO_LONG,
    }
    wide = [file for path, file in made.files.items() if path.startswith("fs/wide/")]
    assert [file.state for file in wide] == ["indexed"] * WIDE_FILES
    (deep,) = (file for path, file in made.files.items() if path.startswith("fs/deep/"))
    assert (deep.state, deep.reason) == (
        "failed",
        "its path is longer than the system allows",
    )


def test_each_file_that_is_not_indexed_says_why_in_words(made: Made) -> None:
    for file in made.files.values():
        assert (file.reason is None) == (file.state == "indexed"), file
        assert not re.search("crash|Error|Traceback", file.reason or ""), file


def test_nothing_outside_was_read_or_written(made: Made) -> None:
    beside = {path.name for path in made.folder.parent.iterdir()}
    assert beside == {"made", "home"}
    assert not list(Path.cwd().glob("*evil*"))
    assert not made.index.search('"root:x:0:0"', mode="lexical").hits


def test_each_needle_in_an_indexed_file_is_found(made: Made) -> None:
    needles = {
        (needle, path)
        for path, file in made.files.items()
        if file.state == "indexed" and not path.startswith("EXPECTED")
        for needle in needles_in(Path(os.fsdecode(file.path)))
    }
    assert len(needles) > 100
    missing = set()
    for needle in {needle for needle, _ in needles}:
        hits = made.index.search(needle, k=300, mode="lexical", folded=True).hits
        found = {one.path for hit in hits for one in (hit, *hit.same)}
        paths = {written(path, made.folder) for path in found}
        missing |= {
            (n, path) for n, path in needles if n == needle and path not in paths
        }
    assert not missing


def needles_in(path: Path) -> set[str]:
    """Look for needles in the bytes of a file, and of the parts of a package."""
    data = [path.read_bytes()]
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as package:
        small = [one for one in package.infolist() if one.file_size < 1_000_000]
        data = [package.read(one) for one in small]
    plain = b" ".join(data).replace(b"\0", b"")
    return {word.decode() for word in re.findall(rb"needle_[a-z0-9]+", plain)}
