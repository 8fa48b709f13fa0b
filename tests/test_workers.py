"""The workers of an index: shared, spared, sent to rest."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes import FakeWorker, fake_checkpoint

from pplx_local.config import Settings
from pplx_local.index import Workers, spawn_polite_worker, spawn_worker

OLD, NEW = (fake_checkpoint(name=name) for name in ("old", "new"))
NOWHERE = Path("nowhere")


def workers_of(*, keep_for_queries: bool = False) -> Workers:
    settings = Settings(home=NOWHERE)
    return Workers(FakeWorker, settings, keep_for_queries=keep_for_queries)


def test_each_checkpoint_has_one_worker_until_they_are_closed() -> None:
    workers = workers_of()
    old, new = workers.get(OLD, NOWHERE), workers.get(NEW, NOWHERE)
    assert old is not new
    assert workers.get(OLD, NOWHERE) is old
    workers.close()
    assert old.closed
    assert new.closed
    assert workers.get(OLD, NOWHERE) is not old


def test_one_alone_is_what_is_left_of_two() -> None:
    workers = workers_of()
    old = workers.get(OLD, NOWHERE)
    old.query("asked just now")
    new = workers.only(NEW, NOWHERE)
    assert old.closed
    assert new.is_ready()


def test_one_that_answers_queries_is_spared_while_another_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = workers_of(keep_for_queries=True)
    old = workers.get(OLD, NOWHERE)
    old.query("asked just now")
    workers.only(NEW, NOWHERE)
    assert old.is_ready()
    monkeypatch.setattr(old, "since_query_s", lambda: 61.0)
    workers.only(NEW, NOWHERE)
    assert old.is_resting
    assert not old.closed, "someone may hold it"
    assert workers.get(OLD, NOWHERE) is old
    assert old.is_ready()


def test_idle_ones_rest_and_wake_when_they_are_asked_for() -> None:
    workers = workers_of()
    old, new = workers.get(OLD, NOWHERE), workers.get(NEW, NOWHERE)
    assert workers.end_idle(60) == []
    assert sorted(workers.end_idle(0)) == ["new", "old"]
    assert workers.end_idle(0) == []
    assert old.query("whoever holds it goes on").dense is not None
    assert workers.end_idle(0) == ["old"]
    assert workers.get(NEW, NOWHERE) is new
    assert new.is_ready()


def test_threads_that_ask_at_once_get_the_same_one() -> None:
    workers, barrier = workers_of(), threading.Barrier(8)

    def ask(_: int) -> object:
        barrier.wait()
        return workers.get(OLD, NOWHERE)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_the_polite_worker_differs_in_nothing_but_its_turn() -> None:
    settings = Settings(home=NOWHERE, backend="torch", max_batch_tokens=99)
    plain = spawn_worker(OLD, NOWHERE, settings)
    polite = spawn_polite_worker(OLD, NOWHERE, settings)
    assert plain._setup == polite._setup
    assert (plain._niceness, polite._niceness) == (0, 10)
