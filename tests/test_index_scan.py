"""Comparing parts of folders with the disk, while others do the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
from workbench import Bench

from pplx_local.errors import FolderError
from pplx_local.index import (
    Findings,
    Target,
    scan,
)
from pplx_local.index.changes import Changes
from pplx_local.records import (
    QueueStatus,
    UpdateReport,
)
from pplx_local.watch import Denied, Found, Rules, walk


def test_new_files_wait_and_say_so(bench: Bench) -> None:
    assert bench.scan().added == 3
    assert bench.index.queue() == QueueStatus(3)
    assert bench.index.status().queue == QueueStatus(3)
    assert bench.index.why(bench.folder / "garden.txt") == "pending: waits to be read"
    assert bench.index.next_try_s() == 0
    bench.read()
    assert bench.waiting() == 0
    assert bench.index.next_try_s() is None
    assert bench.index.status().states == {"indexed": 3}


def test_a_second_scan_adds_nothing_to_the_queue(bench: Bench) -> None:
    bench.scan()
    bench.scan("garden.txt")
    assert bench.waiting() == 3
    bench.read()
    assert bench.scan() == UpdateReport(unchanged=3)
    assert bench.waiting() == 0


def test_a_changed_file_answers_as_it_was_until_it_is_read(full: Bench) -> None:
    full.write("garden.txt", "The cucumbers need more.\n")
    assert full.scan("garden.txt").changed == 1
    assert full.state("garden.txt") == "indexed"
    assert full.best("tomatoes", mode="lexical") == ["garden.txt"]
    full.read()
    assert full.best("cucumbers", mode="lexical") == ["garden.txt"]
    assert full.best("tomatoes", mode="lexical") == []


def test_a_hinted_path_that_is_gone_is_forgotten_alone(full: Bench) -> None:
    (full.folder / "garden.txt").unlink()
    (full.folder / "harbour.md").unlink()
    assert full.scan("garden.txt") == UpdateReport(removed=1)
    assert full.state("garden.txt") == "unknown"
    assert full.state("harbour.md") == "indexed", "nobody looked at it yet"
    shutil.rmtree(full.folder / "sub")
    assert full.scan("sub").removed == 1


def test_a_file_moved_between_two_hinted_paths_is_one_rename(full: Bench) -> None:
    (full.folder / "garden.txt").rename(full.folder / "sub" / "plants.txt")
    assert full.scan("garden.txt", "sub/plants.txt") == UpdateReport(renamed=1)
    assert full.waiting() == 0
    assert full.best("tomatoes")[0] == "plants.txt"


def test_a_file_moved_between_two_registered_folders_is_one_rename(
    full: Bench, tmp_path: Path
) -> None:
    other = tmp_path / "another folder"
    other.mkdir()
    full.index.add_folder(other)
    (full.folder / "garden.txt").rename(other / "garden.txt")
    report = full.scan()
    assert (report.renamed, report.added, report.removed) == (1, 0, 0)
    assert full.waiting() == 0


def test_a_rename_onto_a_known_file_keeps_the_counts_right(full: Bench) -> None:
    (full.folder / "garden.txt").rename(full.folder / "harbour.md.txt")
    (full.folder / "harbour.md.txt").rename(full.folder / "garden 2.txt")
    full.write("garden 3.txt", "Something else.\n")
    full.scan("garden 3.txt")
    full.read()
    (full.folder / "garden 2.txt").replace(full.folder / "garden 3.txt")
    assert full.scan() == UpdateReport(renamed=1, unchanged=2)


def test_a_file_changed_and_renamed_at_once_is_read(full: Bench) -> None:
    full.write("garden.txt", "The cucumbers need more.\n")
    full.scan("garden.txt")
    (full.folder / "garden.txt").rename(full.folder / "plants.txt")
    full.scan()
    full.read()
    assert full.best("cucumbers", mode="lexical") == ["plants.txt"]
    assert full.best("tomatoes", mode="lexical") == []


def test_a_kill_between_new_and_gone_is_a_rename_all_the_same(full: Bench) -> None:
    (full.folder / "garden.txt").rename(full.folder / "a plant.txt")
    full.scan("a plant.txt")  # and here it ended
    assert full.state("garden.txt") == "indexed"
    report = full.scan()
    assert (report.renamed, report.removed) == (1, 0)
    assert full.waiting() == 0


def test_what_lies_in_an_ignored_folder_is_not_looked_at(full: Bench) -> None:
    full.write("node_modules/x/readme.md", "about a package\n")
    full.write(".hidden/notes.md", "about a secret\n")
    assert full.scan(
        "node_modules/x/readme.md", "node_modules", ".hidden/notes.md"
    ) == (UpdateReport())
    (full.folder / "sub").rename(full.folder / "venv")
    report = full.scan("sub", "venv/engine.txt")
    assert (report.removed, report.added) == (1, 0)


def test_what_lies_behind_a_link_is_not_looked_at(full: Bench, tmp_path: Path) -> None:
    (full.folder / "sub").rename(tmp_path / "outside")
    (full.folder / "sub").symlink_to(tmp_path / "outside")
    folder = full.index.store.folders()[0]
    target = Target(folder, full.path("sub/engine.txt"))
    findings = Findings()
    list(full.index.scan([target], findings, retry=False))
    assert (findings.n_removed, findings.n_new) == (1, 0)


def test_a_link_where_the_folder_was_forgets_nothing_and_says_so(full: Bench) -> None:
    moved = full.folder.rename(full.folder.with_name("moved"))
    full.folder.symlink_to(moved)
    assert full.scan().unreachable == 3
    record = next(full.index.files("unreachable"))
    assert "symbolic link" in (record.reason or "")
    full.folder.unlink()
    moved.rename(full.folder)
    assert full.scan() == UpdateReport(unchanged=3)


def test_paths_outside_of_all_folders_are_refused(bench: Bench) -> None:
    with pytest.raises(FolderError, match="not in a registered folder"):
        bench.index.targets([Path("/elsewhere")])
    assert [t.root for t in bench.index.targets(None)] == [os.fsencode(bench.folder)]


def test_names_that_sort_around_a_folder_are_neither_lost_nor_found_twice(
    bench: Bench,
) -> None:
    for name in ("a", "a!", "a.txt", "a0.txt"):
        bench.write(f"{name}/x.txt" if name == "a" else name, f"file {name}\n")
    bench.scan()
    bench.read()
    assert bench.scan() == UpdateReport(unchanged=7)


def test_a_folder_that_cannot_be_entered_is_told_by_its_own_name(
    full: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.write("sub-a.txt", "sorts between the folder and what is in it\n")
    sub = full.path("sub")

    def walk_but_not_into_sub(root: bytes, rules: Rules) -> Iterator[Found | Denied]:
        for path, entries in groupby(
            walk(root, rules), lambda one: one.path.rpartition(b"/")[0]
        ):
            yield from [Denied(sub, "not for you")] if path == sub else entries

    with monkeypatch.context() as patch:
        patch.setattr(scan, "walk", walk_but_not_into_sub)
        for _ in range(2):
            report = full.scan()
            assert (report.removed, report.unreachable, report.failed) == (0, 1, 1)
            assert full.index.why(full.folder / "sub") == "failed: not for you"
            assert full.state("sub/engine.txt") == "unreachable"
    assert full.scan().removed == 0
    assert (full.state("sub"), full.state("sub/engine.txt")) == ("unknown", "indexed")


def test_a_folder_that_goes_away_during_the_scan_loses_nothing(
    full: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_TELL_EVERY_S", 0)
    steps = full.scanning()
    next(steps)
    away = full.folder.with_name("away")
    full.folder.rename(away)
    list(steps)
    assert full.index.store.count_states() == {"indexed": 3}
    away.rename(full.folder)
    assert full.scan() == UpdateReport(unchanged=3)


def test_files_of_a_folder_that_is_away_wait_for_its_return(full: Bench) -> None:
    full.write("new.txt", "never read\n")
    full.write("garden.txt", "The cucumbers need more.\n")
    full.scan()
    away = full.folder.with_name("away")
    full.folder.rename(away)
    full.read()
    assert full.state("new.txt") == full.state("garden.txt") == "unreachable"
    assert full.scan().unreachable == 4
    assert full.waiting() == 0
    away.rename(full.folder)
    full.scan()
    full.read()
    assert set(full.index.store.count_states()) == {"indexed"}
    assert full.best("cucumbers", mode="lexical") == ["garden.txt"]


def test_two_scans_in_turn_end_like_one(full: Bench) -> None:
    for number in range(30):
        full.write(f"note {number}.txt", f"subject{number}\n")
    whole = full.scanning()
    next(whole, None)
    full.write("note 3.txt", "subject3 edited\n")
    (full.folder / "note 4.txt").unlink()
    (full.folder / "note 5.txt").rename(full.folder / "note 50.txt")
    full.scan("note 3.txt", "note 4.txt", "note 5.txt", "note 50.txt")
    full.read()
    list(whole)
    full.read()
    full.scan()
    full.read()
    assert full.index.store.count_states() == {"indexed": 32}
    assert full.best("edited", mode="lexical") == ["note 3.txt"]
    assert full.scan() == UpdateReport(unchanged=32)


def test_a_decision_about_a_record_that_has_changed_since_is_dropped(
    full: Bench,
) -> None:
    old = full.known("garden.txt")
    assert old is not None
    changes = Changes(full.index.store, anew=False)
    changes.settle(old, replace(old, state="skipped", reason="out of date"))
    full.write("garden.txt", "The cucumbers need more.\n")
    full.scan("garden.txt")
    full.read()
    changes.write()
    assert full.state("garden.txt") == "indexed"
