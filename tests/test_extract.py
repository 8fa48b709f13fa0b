"""A stretch of an indexed file's text: whole lines, its place, and no more of it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from daemon import Daemon
from desk import Desk

from pplx_local.errors import FolderError
from pplx_local.index.extract import MAX_CHARS
from pplx_local.records import Extract, Section, Span

LINES = "".join(f"line {n} of the letter\n" for n in range(1, 101))


def extract(desk: Desk, name: str, start: int, end: int) -> Extract:
    with desk.open() as index:
        return index.text(desk.folder / name, Span(start, end))


@pytest.fixture
def letter(desk: Desk) -> Desk:
    desk.write("letter.txt", LINES)
    desk.update()
    return desk


def test_a_stretch_is_widened_to_the_lines_that_it_touches(letter: Desk) -> None:
    start = LINES.index("40 of")
    found = extract(letter, "letter.txt", start, LINES.index("41 of"))
    assert found.text == "line 40 of the letter\nline 41 of the letter\n"
    assert LINES[found.char_start :].startswith(found.text)
    assert (found.line, found.n_chars) == (40, len(LINES))


def test_stretches_follow_each_other_without_a_gap(letter: Desk) -> None:
    found, text = extract(letter, "letter.txt", 0, 500), ""
    while found.text:
        assert found.char_start == len(text)
        text += found.text
        found = extract(letter, "letter.txt", len(text), len(text) + 500)
    assert text == LINES


@pytest.mark.parametrize(
    ("start", "end", "lines"),
    [(-5, 10, (1, 1)), (10, 3, (1, 1)), (0, 0, (1, 1)), (2_190, 1 << 62, (100, 100))],
)
def test_what_lies_outside_of_the_text_is_passed_over(
    letter: Desk, start: int, end: int, lines: tuple[int, int]
) -> None:
    found = extract(letter, "letter.txt", start, end)
    first, last = lines
    assert found.line == first
    assert found.text == "".join(LINES.splitlines(keepends=True)[first - 1 : last])


def test_nothing_follows_the_end(letter: Desk) -> None:
    found = extract(letter, "letter.txt", 1 << 62, 1 << 63)
    assert (found.char_start, found.text, found.segments) == (len(LINES), "", ())


def test_a_long_line_is_cut_where_it_was_asked_to_be(desk: Desk) -> None:
    text = " ".join(f"word{n}" for n in range(50_000))
    desk.write("one line.txt", text)
    desk.update(model=False)
    found = extract(desk, "one line.txt", 100_000, 100_300)
    assert (found.char_start, found.text, found.line) == (
        *(100_000, text[100_000:100_300]),
        1,
    )
    whole = extract(desk, "one line.txt", 0, len(text))
    assert whole.text == text[:MAX_CHARS]
    last = extract(desk, "one line.txt", len(text) - 50, len(text))
    assert last.text == text[-50:]


def test_pages_and_headings_that_it_overlaps_are_named(desk: Desk) -> None:
    text = "# Repairs\n\nBelts.\n\n## Pumps\n\nA pump.\n\n# Garden\n\nBeans.\n"
    desk.write("notes.md", text)
    desk.update(model=False)
    at = text.index("A pump")
    found = extract(desk, "notes.md", at, at + 3)
    garden = text.index("# Garden")
    assert (found.title, found.line) == ("Repairs", 7)
    assert found.segments == (
        Section("heading", "Repairs", 0, garden),
        Section("heading", "Pumps", text.index("## Pumps"), garden),
    )


def test_the_middle_of_a_large_file_takes_little_memory(desk: Desk) -> None:
    line = "The quick brown fox jumps over the lazy dog, and on it goes.\n"
    desk.write("large.txt", line * 80_000)
    desk.update(model=False)
    with desk.open(model=False) as index:
        index.text(desk.folder / "large.txt", Span(0, 10))
        tracemalloc.start()
        found = index.text(desk.folder / "large.txt", Span(3_000_000, 3_000_100))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found.line == 3_000_000 // len(line) + 1
    assert 2 * peak < found.n_chars


def test_a_file_without_text_in_the_index_is_named(letter: Desk) -> None:
    with pytest.raises(FolderError, match=r"no text of .*new\.txt in the index: there"):
        extract(letter, "new.txt", 0, 10)
    with pytest.raises(FolderError, match="is a folder"):
        extract(letter, ".", 0, 10)


def test_what_was_read_is_shown_after_the_file_has_gone(letter: Desk) -> None:
    (letter.folder / "letter.txt").unlink()
    assert extract(letter, "letter.txt", 0, 10).text == "line 1 of the letter\n"


def test_the_daemon_gives_the_same(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        path = daemon.write("notes.md", "# Répairs \U0001f980\n\nA water pump.\n")
        daemon.add()
        found = daemon.client.text(path, 14, 20)
        assert type(found) is Extract
        assert found.text == "A water pump.\n"
        assert found.segments == (Section("heading", "Répairs \U0001f980", 0, 27),)
        with pytest.raises(FolderError, match=r"other\.md"):
            daemon.client.text(path.with_name("other.md"), 0, 10)
        assert daemon.client.text(path, 0, 1).line == 1
