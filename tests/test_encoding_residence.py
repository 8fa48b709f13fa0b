"""What a child keeps on its device, asked for through the pipe."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_child import use_fake_child
from fakes import FAKE_DIM, fake_checkpoint, install_fake_checkpoint
from vectors import random_docs, random_query

from pplx_local import reference
from pplx_local.encoding import EncoderWorker


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EncoderWorker]:
    use_fake_child(monkeypatch)
    folder = install_fake_checkpoint(tmp_path)
    with EncoderWorker(fake_checkpoint(), folder) as worker:
        yield worker


def test_a_child_scores_what_it_keeps_until_it_ends(worker: EncoderWorker) -> None:
    rng = np.random.default_rng(0)
    query = random_query(rng, 5, FAKE_DIM)
    docs = random_docs(rng, [4, 0, *[9] * 3_000], FAKE_DIM, "bits")
    values = reference.maxsim(query, docs).values
    ids = np.arange(10, 10 + len(values))
    worker.keep("a", ids.tolist(), docs).result()
    best = worker.best("a", len(ids), query, 3)
    assert best.chunks.tolist() == ids[np.argsort(-values)[:3]].tolist()
    worker.let_go("a", [12]).result()
    got = worker.scores("a", query, [10, 9_999, 12, 11])
    np.testing.assert_allclose(got, [values[0], np.nan, np.nan, -np.inf], rtol=1e-5)
    assert worker.scores("b", query, [10]) is None
    os.kill(worker.info().pid, signal.SIGKILL)
    assert worker.scores("a", query, [10]) is None, "another child keeps nothing"
    assert worker.best("a", len(ids) - 1, query, 3) is None


def test_a_child_gives_the_memory_back(worker: EncoderWorker) -> None:
    rng = np.random.default_rng(0)
    query = random_query(rng, 2, FAKE_DIM)
    worker.keep("a", [1], random_docs(rng, [4], FAKE_DIM, "bits")).result()
    worker.let_all_go().result()
    assert worker.scores("a", query, [1]) is None
