"""What a folder holds, before anything of it is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from daemon import Daemon
from desk import Desk, survey

from pplx_local.errors import FolderError
from pplx_local.index import Surveying
from pplx_local.index import survey as survey_module
from pplx_local.records import Progress, Survey


@pytest.fixture
def tells_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have progress told after each file, not ten times a second."""
    monkeypatch.setattr(survey_module, "_TELL_EVERY_S", -1.0)


def test_it_counts_and_reads_nothing(desk: Desk) -> None:
    desk.write("picture.png", "\x89PNG")
    found = survey(desk.folder, desk.settings)
    kinds = {kind.kind: kind.files for kind in found.kinds}
    assert sum(kinds.values()) == 4
    assert found.estimated_tokens > 0
    assert not desk.settings.database.exists()


def test_our_own_files_are_not_counted(desk: Desk) -> None:
    """A walk passes over them too."""
    before = survey(desk.folder, desk.settings)
    inside = replace(desk.settings, home=desk.folder / "home")
    inside.home.mkdir()
    (inside.home / "config.toml").write_text('dtype = "float32"\n')
    assert survey(desk.folder, inside).kinds == before.kinds


@pytest.mark.usefixtures("tells_all")
def test_it_says_how_many_files_there_are_so_far(desk: Desk) -> None:
    first, *steps, last = Surveying(desk.folder, desk.settings)
    assert first == Progress("scan", 0, None)
    assert [(step.done, step.total) for step in steps] == [
        (1, None),
        (2, None),
        (3, None),
    ]
    assert steps[0].path
    assert steps[0].path.startswith(bytes(desk.folder))
    assert last == Progress("scan", 3, 3)


def test_it_is_told_ten_times_a_second(desk: Desk) -> None:
    for n in range(20_000):
        (desk.folder / f"{n}.txt").touch()
    steps = list(Surveying(desk.folder, desk.settings))
    assert len(steps) > 3
    assert steps[-1] == Progress("scan", 20_003, 20_003)


@pytest.mark.usefixtures("tells_all")
def test_who_stops_listening_stops_it(desk: Desk) -> None:
    for n in range(100):
        desk.write(f"{n}.txt", "a word")
    surveying = Surveying(desk.folder, desk.settings)
    steps = iter(surveying)
    while next(steps).done < 10:
        pass
    steps.close()
    assert sum(kind.files for kind in surveying.found.kinds) == 10


def test_a_daemon_gives_the_same_and_registers_nothing(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.write("a.md", "# Pumps")
        daemon.write("b.bin", "\0")
        asked = daemon.client.survey(daemon.folder)
        assert list(asked)[-1] == Progress("scan", 2, 2)
        here = survey(daemon.folder, daemon.settings)
        assert isinstance(asked.found, Survey)
        assert (asked.found.path, asked.found.kinds) == (here.path, here.kinds)
        with pytest.raises(FolderError, match=r"nothing at .*nowhere"):
            list(daemon.client.survey(tmp_path / "nowhere"))
        assert daemon.client.status().folders == ()
