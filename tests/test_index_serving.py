"""Which spaces answer a search, and what it costs to find out."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk

from pplx_local.index import serving
from pplx_local.models import Checkpoint, find


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
