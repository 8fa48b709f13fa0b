"""Which spaces answer a search, and what it costs to find out."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from fakes import FakeWorker, fake_checkpoint, install_fake_checkpoint

from pplx_local.encoding.session import WorkerInfo
from pplx_local.index import Index, serving
from pplx_local.models import Checkpoint, Profile, find


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checkpoints that the disk was asked for."""
    names: list[str] = []

    def noted(checkpoint: Checkpoint, home: Path | None = None) -> Path | None:
        names.append(checkpoint.name)
        return find(checkpoint, home)

    monkeypatch.setattr(serving, "find", noted)
    return names


def test_a_search_looks_for_each_checkpoint_once_and_the_next_one_again(
    tmp_path: Path, looked_for: list[str]
) -> None:
    desk = Desk(tmp_path)
    desk.write("engine.txt", "The timing belt is changed at 90,000 km.")
    desk.update()
    with desk.open() as index:
        for _ in range(2):
            looked_for.clear()
            assert index.search("timing belt").legs["late"].ran
            assert len(looked_for) == 1


def test_both_encoders_are_loading_before_one_is_waited_for(tmp_path: Path) -> None:
    seen: list[str] = []

    class Noting(FakeWorker):
        def start(self) -> None:
            seen.append(f"{self.checkpoint.name} starts")
            super().start()

        def info(self) -> WorkerInfo:
            seen.append("waited for")
            return super().info()

    desk = Desk(tmp_path)
    desk.write("engine.txt", "The timing belt is changed at 90,000 km.")
    for name in ("one", "two"):
        install_fake_checkpoint(desk.settings.home, name)
    profile = Profile(fake_checkpoint(name="one"), fake_checkpoint(name="two"))

    def opened(*, write: bool) -> Index:
        return Index.open(desk.settings, write=write, worker=Noting, profile=profile)

    with opened(write=True) as index:
        index.add_folder(desk.folder)
        list(index.update())
    with opened(write=False) as index:
        seen.clear()
        assert all(leg.ran for leg in index.search("timing belt").legs.values())
    assert set(seen[: seen.index("waited for")]) == {"one starts", "two starts"}
