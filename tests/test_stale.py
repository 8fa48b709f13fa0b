"""Documents that an older program made: they answer until they are made anew."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon, wait_for
from fakes import FakeWorker, Poisoned, fake_checkpoint
from older import undo
from workbench import Bench, refusing

from pplx_local.encoding import WorkerInfo
from pplx_local.errors import BackendUnavailable
from pplx_local.index import Findings, Index, reading, steps
from pplx_local.models import Profile
from pplx_local.records import QueueStatus
from pplx_local.store import Store, schema
from pplx_local.window import WindowRule

N_FILES = 3
OLDER = "chunk:0"


def make_older(store: Store) -> None:
    """Leave the index as a program with another chunker would have."""
    for table in ("files", "documents"):
        store._database.execute(
            f"UPDATE {table} SET pipeline = replace(pipeline, 'chunk:', '{OLDER}.')"
        )


def n_older(store: Store) -> int:
    n_documents: int = store._database.value(
        "SELECT count(*) FROM files JOIN documents USING (document_id)"
        f" WHERE instr(documents.pipeline, '{OLDER}')"
    )
    return n_documents


def refuse(worker: FakeWorker) -> WorkerInfo:
    raise BackendUnavailable("the framework is not installed")


@pytest.fixture
def older(full: Bench) -> Bench:
    make_older(full.index.store)
    return full


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one file anew at a time."""
    monkeypatch.setattr(reading, "_COMMIT_EVERY_S", 0)
    monkeypatch.setattr(steps, "REFRESHED_CHARS", 1)


@pytest.mark.usefixtures("one_by_one")
def test_nothing_loses_its_vectors_but_what_is_embedded_next(older: Bench) -> None:
    store = older.index.store
    lacking, left = [], []
    update = older.index.update()
    for _ in update:
        lacking.append(older.index.backlog().documents)
        left.append(n_older(store))
    assert set(lacking) == {0, 1}
    assert set(left) == {3, 2, 1, 0}
    assert (update.report.unchanged, update.report.refreshed) == (N_FILES, N_FILES)
    assert update.report.changed == 0
    assert older.index.queue() == QueueStatus(0)
    assert store.integrity_check() == []


def test_they_wait_for_embedding_and_are_nothing_to_read(older: Bench) -> None:
    for _ in range(2):
        assert older.scan().unchanged == N_FILES
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
    assert older.scan("garden.txt").changed == 1
    assert older.index.queue() == QueueStatus(N_FILES, stale=N_FILES - 1)
    assert older.read() == [older.path("garden.txt")]


def test_one_that_changed_and_could_not_be_read_does_not_wait(full: Bench) -> None:
    full.write("garden.txt", "A sparrow on the roof.\n")
    full.scan()
    with refusing(full.folder / "garden.txt"):
        full.read(tries=1)
    make_older(full.index.store)
    full.scan(retry=True)
    assert full.index.queue() == QueueStatus(N_FILES, stale=N_FILES - 1)
    full.read()
    assert full.best("sparrow", mode="lexical") == ["garden.txt"]


def test_without_vectors_there_is_nothing_to_wait_for(bench: Bench) -> None:
    bench.scan()
    bench.read()
    make_older(bench.index.store)
    bench.scan()
    assert bench.index.queue() == QueueStatus(N_FILES)
    bench.read()
    assert n_older(bench.index.store) == 0


def test_vectors_that_are_dropped_are_waited_for_no_longer(older: Bench) -> None:
    older.scan()
    for space in older.index.store.spaces():
        older.index.store.drop_space(space)
    assert older.index.queue() == QueueStatus(N_FILES)
    assert older.index.next_try_s() == 0


def test_vectors_that_cannot_answer_are_not_waited_for(older: Bench) -> None:
    other = fake_checkpoint(window_rule=WindowRule(kind="single", limit=255))
    older.index.close()
    profile = Profile(other, other)
    with Index.open(older.settings, write=True, profile=profile) as index:
        list(index.update())
        assert n_older(index.store) == 0


def test_one_whose_folder_was_away_answers_when_it_is_back(older: Bench) -> None:
    away = older.folder.with_name("away")
    older.folder.rename(away)
    older.scan()
    assert older.state("garden.txt") == "unreachable"
    away.rename(older.folder)
    older.scan()
    assert older.state("garden.txt") == "indexed"
    assert older.index.queue() == QueueStatus(N_FILES, stale=N_FILES)


def test_one_that_is_renamed_keeps_its_vectors(older: Bench) -> None:
    (older.folder / "garden.txt").rename(older.folder / "yard.txt")
    assert older.scan().renamed == 1
    assert older.index.queue() == QueueStatus(N_FILES, stale=N_FILES)
    assert older.best("tomatoes", mode="dense")[0] == "yard.txt"
    list(older.index.update())
    assert n_older(older.index.store) == 0


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


def test_a_model_that_is_away_costs_no_vectors(older: Bench) -> None:
    models = older.settings.home / "models"
    elsewhere = models.rename(models.with_name("elsewhere"))
    list(older.index.update())
    assert n_older(older.index.store) == N_FILES
    elsewhere.rename(models)
    assert older.index.backlog().documents == 0
    list(older.index.update())
    assert n_older(older.index.store) == 0


@pytest.fixture
def poisoned(older: Bench) -> Iterator[Bench]:
    """A text that crashes the encoder, and is longer than what is read at once."""
    older.write("poison.txt", "arsenic " * (steps.REFRESHED_CHARS // 8 + 1))
    profile = Profile(fake_checkpoint(), fake_checkpoint())
    older.index.close()
    with Index.open(
        older.settings, write=True, profile=profile, worker=Poisoned
    ) as older.index:
        yield older


@pytest.mark.usefixtures("one_by_one")
def test_a_text_that_crashes_the_encoder_keeps_nothing_waiting(poisoned: Bench) -> None:
    update = poisoned.index.update()
    list(update)
    assert "poison.txt" in (update.encoder_error or "")
    assert n_older(poisoned.index.store) == 0


def test_a_refresh_ends_with_a_file_that_was_read(poisoned: Bench) -> None:
    list(poisoned.index.update())
    make_older(poisoned.index.store)
    poisoned.scan()
    left = poisoned.index.queue().stale
    assert left
    list(poisoned.index.refresh(Findings(), tries=3))
    assert poisoned.index.queue().stale < left


@pytest.mark.usefixtures("one_by_one")
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


# --- the daemon ---


def start_with_older(daemon: Daemon) -> None:
    daemon.add()
    daemon.stop()
    with Index.open(daemon.settings, write=True) as index:
        make_older(index.store)
    daemon.start()


def is_made_anew(daemon: Daemon) -> bool:
    with Store.open(daemon.settings.database, readonly=True) as store:
        return n_older(store) == 0


def test_a_daemon_makes_them_anew_behind_everything_else(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        for number in range(40):
            daemon.write(f"{number}.txt", f"The timing belt, note number {number}.")
        start_with_older(daemon)
        wait_for(lambda: is_made_anew(daemon))
        wait_for(lambda: set(daemon.client.status().coverage.values()) == {1.0})
        assert daemon.client.status().queue == QueueStatus(0)


def test_a_daemon_makes_them_anew_beside_what_crashes_the_encoder(
    tmp_path: Path,
) -> None:
    with Daemon(tmp_path, ["--poisoned"]) as daemon:
        daemon.write("poison.txt", "A spoonful of arsenic.")
        daemon.write("belt.txt", "The timing belt.")
        start_with_older(daemon)
        wait_for(lambda: is_made_anew(daemon))


def test_what_is_saved_does_not_begin_a_slow_file_again(tmp_path: Path) -> None:
    with Daemon(tmp_path, ["--slow-file", "3"]) as daemon:
        daemon.write("slow.txt", "A slow file.")
        start_with_older(daemon)
        begun = daemon.settings.home / "begun"
        wait_for(lambda: len(begun.read_text()) == 2)
        for number in range(6):
            daemon.write("diary.txt", f"Dear diary, day {number}.")
            time.sleep(0.4)
        wait_for(lambda: is_made_anew(daemon))
        assert len(begun.read_text()) == 2
