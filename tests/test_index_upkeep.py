"""What keeps a home small and safe for a writer that never ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeWorker, fake_checkpoint
from workbench import Bench

from pplx_local.errors import StoreError
from pplx_local.index import (
    Index,
    Workers,
    lock,
    upkeep,
)
from pplx_local.models import Profile
from pplx_local.watch import FileSystem


def test_hidden_documents_are_few_and_the_first_hidden_go_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FEW_HIDDEN_CHUNKS", 5)
    for number in range(12):
        bench.write("diary.txt", f"The {number}th day was fine.\n")
        bench.scan("diary.txt")
        bench.read()
        bench.index.settle()
        assert bench.index.store.count_chunks(hidden=True) <= 5
    bench.write("diary.txt", "The 10th day was fine.\n")
    assert hidden_return(bench), "the last hidden are kept"
    bench.write("diary.txt", "The 2th day was fine.\n")
    assert not hidden_return(bench)


def hidden_return(bench: Bench) -> bool:
    """Whether what is read now was known."""
    before = bench.index.store.newest_document()
    bench.scan("diary.txt")
    bench.read()
    return bench.index.store.newest_document() == before


def test_as_many_hidden_chunks_as_visible_ones_are_kept(
    full: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FEW_HIDDEN_CHUNKS", 1)
    for name in ("harbour.md", "garden.txt"):
        (full.folder / name).unlink()
        full.write(f"other {name}", f"Another {name}.\n")
    full.scan()
    full.read()
    full.index.tidy()
    assert full.index.store.count_chunks(hidden=True) == 2


def test_many_edits_leave_a_small_database(
    full: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FEW_HIDDEN_CHUNKS", 20)
    sizes = []
    for number in range(120):
        full.write("diary.txt", f"day{number} was fine. " * 40)
        full.scan("diary.txt")
        full.read()
        full.fill()
        full.index.settle()
        if number % 20 == 19:
            full.index.tidy()
            assert full.index.store.bytes_by_part()["wal"] == 0
            sizes.append(full.index.store.bytes_by_part()["database"])
    assert sizes[-1] <= sizes[2] * 1.05
    assert full.best("day119", mode="lexical") == ["diary.txt"]
    assert full.index.store.integrity_check() == []


def test_tidying_leaves_to_readers_what_they_read(full: Bench) -> None:
    with full.open() as other, other.store.snapshot():
        other.status()
        full.write("garden.txt", "The cucumbers need more.\n")
        full.scan()
        full.read()
        full.index.tidy()
        assert other.search("tomatoes", mode="lexical").hits
    full.index.tidy()
    assert full.index.store.bytes_by_part()["wal"] == 0


def test_tidying_compacts_a_table_that_is_mostly_holes(
    full: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pplx_local.store.vectors.BLOCK_ROWS", 0)
    full.index.tidy()
    names = full.index.store._database.rows(
        "SELECT epoch FROM spaces WHERE role = 'dense'"
    )
    assert names == [(1,)]
    assert full.best("lighthouse", mode="dense")[0] == "harbour.md"


def test_a_home_on_a_network_is_refused_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Bench(tmp_path)
    nfs = FileSystem("nfs4", is_remote=True)
    with monkeypatch.context() as patch:
        patch.setattr(lock, "file_system_of", lambda path: nfs)
        with pytest.raises(StoreError, match=r"network file system \(nfs4\).*--home"):
            desk.open(write=True)
    assert not desk.settings.database.exists()
    desk.open(write=True).close()


def test_shared_workers_outlive_the_index(full: Bench) -> None:
    worker = FakeWorker(fake_checkpoint())
    workers = Workers(lambda *args: worker, full.settings)
    fake = fake_checkpoint()
    profile = Profile(fake, fake)
    with Index.open(full.settings, profile=profile, workers=workers) as reader:
        assert reader.search("lighthouse").legs["dense"].ran
    assert not worker.closed
    workers.close()
    assert worker.closed
