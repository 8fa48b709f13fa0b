"""Documents that an older program made: they answer until they are made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from daemon import Daemon, wait_for
from fakes import FakeWorker
from older import undo
from workbench import Bench

from pplx_local.encoding import WorkerInfo
from pplx_local.errors import BackendUnavailable
from pplx_local.index import Findings, Index, reading, steps
from pplx_local.records import QueueStatus
from pplx_local.store import Store, schema

N_FILES = 3


def make_older(store: Store) -> None:
    """Leave the index as a program with another chunker would have."""
    for table in ("files", "documents"):
        store._database.execute(f"UPDATE {table} SET pipeline = 'older'")


def n_older(store: Store) -> int:
    n_documents: int = store._database.value(
        "SELECT count(*) FROM files JOIN documents USING (document_id)"
        " WHERE documents.pipeline = 'older'"
    )
    return n_documents


def refuse(worker: FakeWorker) -> WorkerInfo:
    raise BackendUnavailable("the framework is not installed")


@pytest.fixture
def older(full: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    make_older(full.index.store)
    monkeypatch.setattr(reading, "_COMMIT_EVERY_S", 0)  # one file at a step
    monkeypatch.setattr(steps, "REFRESHED_CHARS", 1)
    return full


def test_nothing_loses_its_vectors_but_what_is_embedded_next(older: Bench) -> None:
    store = older.index.store
    lacking, left = [], []
    update = older.index.update()
    for _ in update:
        lacking.append(older.index.backlog().documents)
        left.append(n_older(store))
        assert store.count_documents() == N_FILES or lacking[-1] <= 1
    assert set(lacking) == {0, 1}
    assert set(left) == {3, 2, 1, 0}
    assert update.report.changed == N_FILES
    assert older.index.queue() == QueueStatus(0)
    assert older.index.backlog().documents == 0
    assert store.integrity_check() == []


def test_they_wait_for_embedding_and_are_nothing_to_read(older: Bench) -> None:
    assert older.scan().changed == N_FILES
    assert older.index.queue() == QueueStatus(N_FILES, stale=N_FILES)
    assert older.index.next_try_s() is None
    assert older.read() == []
    assert n_older(older.index.store) == N_FILES
    assert older.best("tomatoes", mode="dense")[0] == "garden.txt"
    assert older.index.has_stale()


def test_what_is_saved_meanwhile_is_read_first(older: Bench) -> None:
    older.scan()
    os.utime(older.write("new.txt", "A sparrow on the roof.\n"), (1, 1))
    older.scan("new.txt")
    assert older.index.next_try_s() == 0
    assert older.read() == [older.path("new.txt")]


def test_one_that_changes_is_read_at_once(older: Bench) -> None:
    older.scan()
    older.write("garden.txt", "A sparrow on the roof.\n")
    older.scan("garden.txt")
    assert older.index.queue() == QueueStatus(N_FILES, stale=N_FILES - 1)
    assert older.read() == [older.path("garden.txt")]


def test_without_vectors_there_is_nothing_to_wait_for(bench: Bench) -> None:
    bench.scan()
    bench.read()
    make_older(bench.index.store)
    bench.scan()
    assert bench.index.queue() == QueueStatus(N_FILES)
    bench.read()
    assert n_older(bench.index.store) == 0


def test_an_encoder_that_is_broken_costs_no_vectors(
    older: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    older.write("new.txt", "A sparrow on the roof.\n")
    with monkeypatch.context() as patch:
        patch.setattr(FakeWorker, "info", refuse)
        update = older.index.update()
        list(update)
        assert update.encoder_error
    assert n_older(older.index.store) == N_FILES
    assert older.best("sparrow", mode="lexical") == ["new.txt"]
    list(older.index.update())
    assert n_older(older.index.store) == 0


def test_a_refresh_that_is_left_half_way_goes_on_with_the_next(older: Bench) -> None:
    older.scan()
    left = older.index.refresh(Findings(), tries=3)
    next(one for one in left if not one.waits)
    left.close()
    assert n_older(older.index.store) == N_FILES - 1
    list(older.index.update())
    assert n_older(older.index.store) == 0
    assert older.index.backlog().documents == 0


def test_a_queue_of_the_schema_before_keeps_what_waits(bench: Bench) -> None:
    bench.scan()
    path = bench.index.settings.database
    undo(bench.index.store._database, schema.m009_stale)
    bench.index.close()
    with Store.open(path) as store:
        assert store.queue() == QueueStatus(N_FILES)
        assert store.integrity_check() == []


def test_a_daemon_makes_them_anew_behind_everything_else(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        for number in range(40):
            daemon.write(f"{number}.txt", f"The timing belt, note number {number}.")
        daemon.add()
        daemon.stop()
        with Index.open(daemon.settings, write=True) as index:
            make_older(index.store)
        daemon.start()
        with Store.open(daemon.settings.database, readonly=True) as store:
            wait_for(lambda: n_older(store) == 0 and not store.queue().waiting)
        wait_for(lambda: set(daemon.client.status().coverage.values()) == {1.0})
        assert daemon.client.status().queue == QueueStatus(0)
