"""Who comes first, who is blamed, who rests: real processes with a fake encoder."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from fake_child import use_fake_child
from fakes import fake_checkpoint, install_fake_checkpoint

from pplx_local.encoding import EncoderWorker, client
from pplx_local.errors import EncoderCrashed, ModelError
from pplx_local.records import WindowPlan

SLOW = [f"Slowly goes number {n}." for n in range(100)]
"""Two seconds of work in a hundred windows."""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EncoderWorker]:
    use_fake_child(monkeypatch)
    folder = install_fake_checkpoint(tmp_path)
    with EncoderWorker(fake_checkpoint(), folder) as worker:
        yield worker


def plans_of(worker: EncoderWorker, *texts: str) -> list[WindowPlan]:
    return worker.plan(texts).result()


def pid_of(worker: EncoderWorker) -> int:
    return worker.info().pid


# --- who comes first ---


def test_a_search_does_not_wait_for_documents(worker: EncoderWorker) -> None:
    plans = plans_of(worker, *SLOW)
    alone = worker.encode(plans).result()
    under_way, behind = worker.encode(plans), worker.encode(plans)
    for word in ("one", "two", "three"):
        query = worker.query(word)
        scores = worker.maxsim(query.tokens, alone.tokens).result()
        assert scores.values.shape == (100,)
        assert worker.token_spans([word]).result() == [[(0, len(word))]]
        time.sleep(0.1)  # the encoding goes on, and the next one comes in its midst
    assert not under_way.done()
    for disturbed in (under_way, behind):
        assert np.array_equal(disturbed.result().dense.codes, alone.dense.codes)
        assert np.array_equal(disturbed.result().tokens.codes, alone.tokens.codes)


def test_documents_get_on_however_many_queries_come(worker: EncoderWorker) -> None:
    encoding = worker.encode(plans_of(worker, *SLOW[:20]))
    n_queries = 0
    while not encoding.done():
        worker.query("again and again")
        n_queries += 1
    assert 2 < n_queries < 1000


def test_plans_and_encodings_keep_their_order(worker: EncoderWorker) -> None:
    plans = plans_of(worker, *SLOW[:5])
    ended: list[int] = []
    calls = [worker.encode(plans), worker.plan(["a"]), worker.encode(plans[:1])]
    for number, call in enumerate(calls):
        call.add_done_callback(lambda _, n=number: ended.append(n))
    worker.query("in between")
    calls[-1].result()
    assert ended[:2] == [0, 1]


# --- who is blamed ---


def test_a_query_that_kills_fails_and_not_what_it_came_into(
    worker: EncoderWorker,
) -> None:
    plans = plans_of(worker, *SLOW)
    encoding = worker.encode(plans)
    with pytest.raises(EncoderCrashed, match="3 times on the same text"):
        worker.query("arsenic")
    assert not encoding.done()
    assert len(encoding.result().dense.codes) == len(SLOW)


def test_queries_are_not_blamed_for_the_documents_that_kill(
    worker: EncoderWorker,
) -> None:
    good = plans_of(worker, *SLOW[:3])
    bad = plans_of(worker, *SLOW[:10], "a spoonful of arsenic")
    before, broken, after = (worker.encode(plans) for plans in (good, bad, good))
    while not broken.done():
        assert worker.query("innocent").words == ("innocent",)
    with pytest.raises(EncoderCrashed, match="3 times on the same text"):
        broken.result()
    assert np.array_equal(before.result().dense.codes, after.result().dense.codes)


def test_a_defect_in_the_midst_of_documents_says_what_it_was(
    worker: EncoderWorker,
) -> None:
    encoding = worker.encode(plans_of(worker, *SLOW))
    query = worker.query("three rows of codes").tokens
    shorter = replace(query, codes=query.codes[:, :-1])
    with pytest.raises(EncoderCrashed, match=r"3 times .*ValueError: "):
        worker.maxsim(shorter, query).result()
    assert len(encoding.result().dense.codes) == len(SLOW)


def test_a_child_that_stands_still_is_ended_and_another_one_answers(
    worker: EncoderWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(client, "_PATIENCE_S", 1.0)
    encoding = worker.encode(plans_of(worker, *SLOW))  # silent for longer, and right
    assert len(encoding.result().dense.codes) == len(SLOW)
    stopped = pid_of(worker)
    os.kill(stopped, signal.SIGSTOP)
    assert worker.encode_query("answered").result(timeout=30).words == ("answered",)
    assert pid_of(worker) != stopped
    assert not psutil.pid_exists(stopped)


# --- who rests ---


def test_an_idle_worker_rests_until_the_next_call(worker: EncoderWorker) -> None:
    assert not worker.is_ready()
    pid = pid_of(worker)
    worker.query("awake")
    assert worker.is_ready()
    assert not worker.rest(after_s=60)
    assert worker.rest(after_s=0)
    assert not psutil.pid_exists(pid)
    assert not worker.is_ready()
    assert not worker.rest(after_s=0), "there is nothing left to end"
    assert worker.query("awake again").words == ("awake", "again")
    assert pid_of(worker) != pid


def test_a_worker_that_has_work_does_not_rest(worker: EncoderWorker) -> None:
    assert worker.idle_s() == 0, "it is loading"
    assert not worker.rest(after_s=0)
    encoding = worker.encode(plans_of(worker, *SLOW[:20]))
    assert worker.idle_s() == 0
    assert not worker.rest(after_s=0)
    encoding.result()
    time.sleep(0.05)
    assert worker.idle_s() >= 0.05


def test_threads_share_a_worker_that_rests_whenever_it_can(
    worker: EncoderWorker,
) -> None:
    stop = threading.Event()
    n_rests = 0

    def rest() -> None:
        nonlocal n_rests
        while not stop.wait(0.01):
            n_rests += worker.rest(after_s=0)

    def ask(thread: int) -> list[tuple[str, ...]]:
        asked = []
        for n in range(8):
            asked.append(worker.query(f"t{thread} n{n}").words)
            time.sleep(0.03)
        return asked

    resting = threading.Thread(target=rest)
    resting.start()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    stop.set()
    resting.join()
    assert answers == [[(f"t{t}", f"n{n}") for n in range(8)] for t in range(4)]
    assert n_rests > 0


def test_what_could_not_load_is_tried_again_after_a_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_fake_child(monkeypatch)
    folder = tmp_path / "models" / "fake"
    folder.mkdir(parents=True)
    with EncoderWorker(fake_checkpoint(), folder) as worker:
        with pytest.raises(ModelError):
            worker.info()
        assert not worker.is_ready()
        with pytest.raises(ModelError):
            worker.query("still the same answer")
        folder.rmdir()
        install_fake_checkpoint(tmp_path)
        assert worker.rest(after_s=0)
        assert worker.query("it is here now").dense is not None


def test_a_worker_remembers_its_last_query(worker: EncoderWorker) -> None:
    plans_of(worker, "no query")
    assert worker.since_query_s() == float("inf")
    worker.query("a query")
    assert worker.since_query_s() < 60


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the disk's priority")
def test_a_polite_child_lets_everything_else_go_first(tmp_path: Path) -> None:
    folder = install_fake_checkpoint(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        use_fake_child(patch)
        with EncoderWorker(fake_checkpoint(), folder, niceness=7) as worker:
            child = psutil.Process(pid_of(worker))
            assert child.nice() == max(7, os.nice(0))
            assert child.ionice() == (psutil.IOPRIO_CLASS_BE, 7)
