"""Passages like one that is indexed, and like a whole file."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from desk import Desk

from pplx_local.cli.place import typed_place
from pplx_local.errors import FolderError, PplxLocalError
from pplx_local.records import Answer

BELT = "The timing belt of the engine is changed every six years, with the water pump."
PUMP = "The water pump of the engine was leaking when the timing belt was changed."
FISH = "Herring is salted in autumn and smoked in winter, on the shore."
SMOKE = "Smoked herring keeps over the winter; salted it keeps longer still."


@pytest.fixture
def shelf(desk: Desk) -> Desk:
    desk.write("both.txt", "\n\n".join([BELT] * 20 + [FISH] * 30))
    desk.write("pump.txt", PUMP)
    desk.write("smoke.txt", SMOKE)
    for n in range(8):
        desk.write(f"other{n}.txt", f"Tomatoes, beans and peas, row {n} of the garden.")
    desk.update()
    return desk


def similar(desk: Desk, name: str, line: int | None = None, **options) -> Answer:
    with desk.open(model=options.pop("model", True)) as index:
        return index.similar(desk.folder / name, line, **options)


def names(answer: Answer) -> list[str]:
    return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in answer.hits]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "late", "lexical"])
def test_a_line_leads_to_passages_like_the_one_it_lies_in(shelf: Desk, mode) -> None:
    belt = names(similar(shelf, "both.txt", 1, mode=mode, k=12))
    assert next(name for name in belt if name != "both.txt") == "pump.txt"
    for line in (81, 99):
        fish = names(similar(shelf, "both.txt", line, mode=mode, k=12))
        assert next(name for name in fish if name != "both.txt") == "smoke.txt"


def test_a_passage_is_not_like_itself_but_its_file_may_have_others(shelf: Desk) -> None:
    answer = similar(shelf, "both.txt", 1, k=100)
    starts = [hit.char_span.start for hit in answer.hits if b"both" in hit.path]
    assert starts
    assert 0 not in starts


def test_a_file_as_a_whole_finds_what_is_like_any_of_it(shelf: Desk) -> None:
    answer = similar(shelf, "both.txt")
    assert set(names(answer)[:3]) >= {"pump.txt", "smoke.txt"}
    assert "both.txt" not in names(similar(shelf, "both.txt", k=100))


def test_it_says_what_was_asked_and_by_which_words(shelf: Desk) -> None:
    answer = similar(shelf, "pump.txt", 1, explain=True, folded=True)
    assert answer.query == f"{shelf.folder}/pump.txt:1"
    assert {report.ran for report in answer.legs.values()} == {True}
    best = answer.hits[0]
    assert {best.text[a:b] for a, b in best.words} >= {"timing", "belt", "pump"}
    assert {match.query_word for match in best.matches} >= {"timing", "belt"}
    assert not answer.nothing_close
    assert math.isnan(best.confidence), "it was calibrated on questions"


def test_keywords_alone_find_it_without_a_model(shelf: Desk) -> None:
    answer = similar(shelf, "pump.txt", model=False)
    assert names(answer)[0] == "both.txt"
    with pytest.raises(PplxLocalError, match="dense leg cannot run"):
        similar(shelf, "pump.txt", model=False, mode="dense")


def test_what_has_no_vectors_yet_goes_by_its_words(shelf: Desk) -> None:
    shelf.write("new.txt", "Another water pump, for the engine of the boat.")
    shelf.update(model=False)
    answer = similar(shelf, "new.txt", folded=True)
    assert set(names(answer)[:2]) == {"both.txt", "pump.txt"}
    assert "not embedded yet" in (answer.legs["dense"].reason or "")


def test_a_file_of_words_that_nothing_else_holds_is_answered(shelf: Desk) -> None:
    shelf.write("odd.txt", "Zyxwv utsrq ponml.")
    shelf.update()
    similar(shelf, "odd.txt")
    assert names(similar(shelf, "odd.txt", mode="lexical")) == []


def test_a_line_may_lie_anywhere_in_its_passage(desk: Desk) -> None:
    lines = [f"line {n} of a list, and word{n} in it" for n in range(1, 400)]
    desk.write("list.txt", "\n".join(lines))
    desk.write("one line.txt", " ".join(f"word{n}" for n in range(600)))
    for n in (1, 130, 399):
        desk.write(f"{n}.txt", f"word{n - 1} word{n} word{n + 1} stand here")
    desk.update()
    for n in (1, 130, 399):
        assert f"{n}.txt" in names(similar(desk, "list.txt", n, mode="lexical"))
    assert similar(desk, "one line.txt", 1, mode="lexical").hits


def test_a_line_that_is_not_there_is_named(shelf: Desk) -> None:
    with pytest.raises(FolderError, match=r"has no line 100; its last one is 99\."):
        similar(shelf, "both.txt", 100)
    with pytest.raises(FolderError, match="no line 0"):
        similar(shelf, "both.txt", 0)
    shelf.write("three.txt", "one belt\ntwo belts\nthree belts\n")
    shelf.update()
    assert similar(shelf, "three.txt", 3).hits
    with pytest.raises(FolderError, match=r"has no line 4; its last one is 3\."):
        similar(shelf, "three.txt", 4)


def test_what_is_not_indexed_is_named_with_the_way_to_index_it(
    shelf: Desk, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.txt"
    stranger.write_text("Nobody knows me.")
    with pytest.raises(FolderError, match="is not in a registered folder"):
        similar(shelf, str(stranger))
    (shelf.folder / "new.txt").write_text("Fresh.")
    with pytest.raises(FolderError, match="pplx-local update"):
        similar(shelf, "new.txt")
    with pytest.raises(FolderError, match="is a folder"):
        similar(shelf, ".")
    (shelf.folder / "empty.txt").write_text("  ")
    shelf.update()
    with pytest.raises(
        FolderError, match=r"no text in .*: nothing but white space\. Nam"
    ):
        similar(shelf, "empty.txt")
    (shelf.folder / "image.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    shelf.update()
    with pytest.raises(FolderError, match=r"\(skipped\): binary file.*\. Name a file"):
        similar(shelf, "image.txt")


def test_a_link_leads_to_the_file_that_is_indexed(shelf: Desk, tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(shelf.folder / "pump.txt")
    assert names(similar(shelf, str(link)))[0] == "both.txt"


@pytest.mark.parametrize(
    ("typed", "path", "line"),
    [
        ("a.txt", "a.txt", None),
        ("a.txt:12", "a.txt", 12),
        ("a.txt:12:7", "a.txt", 12),
        ("a.txt:12:", "a.txt", 12),
        ("a.txt:12:7:", "a.txt", 12),
        ("a:b.txt:12", "a:b.txt", 12),
        ("a.txt:b", "a.txt:b", None),
        ("here:3", "here:3", None),
        ("here:3:4", "here:3", 4),
        ("line\nbreak:4", "line\nbreak", 4),
    ],
)
def test_a_line_is_told_from_a_name_with_colons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed, path, line
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here:3").touch()
    assert typed_place(typed)[:2] == (Path(path), line)
