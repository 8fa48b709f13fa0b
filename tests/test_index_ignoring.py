"""What ignore files do to an index: when they come, change and go."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from daemon import Daemon, wait_for
from desk import Desk, survey
from workbench import Bench

from pplx_local.config import Settings, write_setting
from pplx_local.records import UpdateReport


def rule_of(bench: Bench, line: str, number: int = 1) -> str:
    return f"ignored by .gitignore line {number}: {line} (in {bench.folder})"


def test_a_file_that_a_new_rule_names_is_skipped_with_the_line(full: Bench) -> None:
    full.write(".gitignore", "# not for me\ngarden.*\n")
    full.scan()
    reason = rule_of(full, "garden.*", 2)
    assert full.index.why(full.folder / "garden.txt") == f"skipped: {reason}"
    assert full.best("tomatoes", mode="lexical") == []
    assert full.best("harbour", mode="lexical") == ["harbour.md"]


def test_a_rule_that_goes_brings_its_files_back_unread(full: Bench) -> None:
    before = {name: full.known(name) for name in ("garden.txt", "sub/engine.txt")}
    full.write(".gitignore", "*.txt\n")
    full.scan()
    assert full.state("sub/engine.txt") == "skipped"
    (full.folder / ".gitignore").unlink()
    full.scan()
    full.read()
    for name, file in before.items():
        now = full.known(name)
        assert now
        assert file
        assert (now.state, now.document_id) == ("indexed", file.document_id)
    assert full.fill().encoded_tokens == 0


def test_a_folder_that_a_rule_names_is_left_with_all_it_holds(full: Bench) -> None:
    before = full.known("sub/engine.txt")
    full.write(".gitignore", "/sub/\n")
    assert full.scan().removed == 1
    assert full.state("sub/engine.txt") == "unknown"
    said = f"skipped: {full.folder / 'sub'}: {rule_of(full, '/sub/')}"
    assert full.index.why(full.folder / "sub/engine.txt") == said
    full.write(".gitignore", "")
    assert full.scan().added == 1
    full.read()
    now = full.known("sub/engine.txt")
    assert now
    assert before
    assert now.document_id == before.document_id


def test_a_look_at_one_path_goes_by_the_files_above_it(full: Bench) -> None:
    full.write(".gitignore", "*.txt\n!garden.txt\n")
    full.write(".pplxignore", ".env\n")
    full.write(".env", "a secret\n")
    full.scan("sub/engine.txt", "garden.txt", ".env")
    assert full.state("sub/engine.txt") == "skipped"
    assert full.state("garden.txt") == "indexed"
    assert full.index.why(full.folder / ".env") == (
        "skipped: looks like a secret; to have it all the same, write !.env into "
        f"{full.folder}/.pplxignore"
    )


def test_a_file_that_waits_and_is_named_meanwhile_is_not_read(bench: Bench) -> None:
    bench.scan()
    bench.write(".ignore", "garden.txt\n")
    bench.scan("garden.txt")
    bench.read()
    assert bench.state("garden.txt") == "skipped"
    assert bench.state("harbour.md") == "indexed"


def test_a_file_that_is_not_honoured_says_so(full: Bench) -> None:
    full.write(".gitignore", "*.txt\n" * 200_000)
    assert full.scan().unchanged == 3
    said = full.index.why(full.folder / ".gitignore")
    assert said == "skipped: rules that are not honoured: longer than 1,000,000 bytes"


@pytest.mark.parametrize(
    "name", [".notes.md", ".config/app/a.md", "in/.ssh/config", "in/.env", "uv.lock"]
)
def test_what_is_passed_over_by_default_comes_as_it_is_told(
    full: Bench, name: str
) -> None:
    path = full.write(name, "a heron\n")
    full.scan()
    said = full.index.why(path)
    assert said.startswith("skipped: ")
    line = said.partition(" write ")[2].partition(" into ")[0]
    full.write(".pplxignore", f"{line}\n")
    full.scan()
    full.read()
    assert full.index.why(path) == "indexed"


def test_a_name_that_is_no_utf8_can_be_asked_about(full: Bench) -> None:
    try:
        path = full.write(os.fsdecode(b".caf\xe9/a.md"), "a heron\n")
    except OSError:
        pytest.skip("names are always UTF-8 here")
    said = full.index.why(path)
    assert said.startswith(f"skipped: {full.folder}/.caf\\xe9: hidden folder; ")


def test_files_go_and_come_with_the_limit_of_their_size(full: Bench) -> None:
    full.write("long.txt", "heron " * 100)
    settings = full.index.settings
    for limit, state in ((300, "skipped"), (600, "indexed"), (300, "skipped")):
        full.index.settings = replace(settings, max_file_bytes=limit)
        full.scan()
        full.read()
        assert full.state("long.txt") == state
    assert full.index.why(full.folder / "long.txt") == (
        "skipped: longer than 300 bytes (the setting max_file_bytes)"
    )


def test_a_second_scan_changes_nothing(full: Bench) -> None:
    full.write("sub/.gitignore", "*.log\n")
    full.write("sub/a.log", "noise\n")
    full.scan()
    assert full.scan() == UpdateReport(unchanged=3)
    assert full.waiting() == 0


def test_a_survey_counts_by_the_name_of_the_ignore_file(desk: Desk) -> None:
    desk.write(".gitignore", "*.log\nb.txt\n")
    for name in ("a.log", "b.log", "b.txt"):
        desk.write(name, "noise")
    kinds = survey(desk.folder, desk.settings).kinds
    counts = {kind.kind: kind.files for kind in kinds if kind.skipped}
    assert counts == {"ignored by .gitignore": 3, "hidden file": 1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"a.md"}),
        ({"hidden": True}, {"a.md", ".b.md", ".gitignore"}),
        ({"ignore_files": False}, {"a.md", "c.md"}),
    ],
)
def test_settings_say_what_counts(
    tmp_path: Path, changes: dict[str, bool], expected: set[str]
) -> None:
    desk = Desk(tmp_path)
    desk.settings = Settings(desk.settings.home, **changes)
    for name in ("a.md", ".b.md", "c.md"):
        desk.write(name, f"text of {name}")
    desk.write(".gitignore", "c.md\n")
    desk.update(model=False)
    indexed = {
        Path(path).name for path, state in desk.states().items() if state == "indexed"
    }
    assert indexed == expected


def test_the_daemon_follows_ignore_files_and_settings(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.write("a.md", "heron")
        daemon.write("in/b.md", "heron")
        daemon.write(".c.md", "heron")
        daemon.add()
        assert sorted(daemon.paths("heron")) == ["a.md", "b.md"]
        daemon.write(".gitignore", "in/\n")
        wait_for(lambda: daemon.paths("heron") == ["a.md"], 30)
        write_setting(daemon.settings.file, "hidden", True)
        assert daemon.client.follow_settings()["hidden"] is True
        wait_for(lambda: sorted(daemon.paths("heron")) == [".c.md", "a.md"], 30)
        (daemon.folder / ".gitignore").unlink()
        wait_for(lambda: len(daemon.paths("heron")) == 3, 30)
