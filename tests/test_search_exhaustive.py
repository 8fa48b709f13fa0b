"""Late interaction with all chunks, kept where the model computes."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeResident, FakeWorker

from pplx_local import reference
from pplx_local.encoding import residence
from pplx_local.encoding.residence import Residence
from pplx_local.errors import BackendUnavailable, EncoderCrashed
from pplx_local.records import TokenVectors
from pplx_local.search import exhaustive, legs
from pplx_local.search.exhaustive import Exhaustive
from pplx_local.search.legs import LateLeg
from pplx_local.store import Selection


def vectors(rng: np.random.Generator, lengths: list[int]) -> TokenVectors:
    rows = rng.standard_normal((sum(lengths), 32)).astype(np.float32)
    starts = np.cumsum([0, *lengths]).astype(np.int32)
    return reference.quantize_tokens(
        rows, starts, np.arange(len(rows), dtype=np.int32), "bits"
    )


def question(rng: np.random.Generator) -> TokenVectors:
    rows = rng.standard_normal((3, 32)).astype(np.float32)
    return reference.quantize_query(rows, np.arange(3, dtype=np.int32))


# --- the child's side ---


@pytest.mark.parametrize("segment_bytes", [1, 60, 1 << 20])
def test_what_is_kept_is_scored_as_one(segment_bytes, monkeypatch) -> None:
    monkeypatch.setattr(residence, "_SEGMENT_BYTES", segment_bytes)
    rng = np.random.default_rng(0)
    query, kept, values = question(rng), Residence(FakeResident), {}
    for ids, lengths in [([7, 9], [4, 2]), ([3], [5]), ([20, 21, 22], [1, 0, 6])]:
        docs = vectors(rng, lengths)
        values |= dict(zip(ids, reference.maxsim(query, docs).values, strict=True))
        kept.keep("a", ids, docs)
    kept.let_go("a", [9, 20])
    wanted = sorted(set(values) - {9, 20, 21}, key=lambda one: -values[one])
    for k in (1, 2, 10):
        found = kept.best("a", 4, query, k)
        assert found.chunks.tolist() == wanted[:k]
        expected = [values[one] for one in wanted[:k]]
        np.testing.assert_allclose(found.values, expected)


def test_another_name_finds_nothing_and_begins_anew() -> None:
    rng = np.random.default_rng(0)
    query, kept = question(rng), Residence(FakeResident)
    assert kept.best("a", 0, query, 1) is None
    kept.keep("a", [1, 2], vectors(rng, [2, 2]))
    assert kept.best("b", 2, query, 1) is None
    assert kept.best("a", 3, query, 1) is None, "one is missing"
    kept.let_go("b", [1])
    assert len(kept.best("a", 2, query, 5).chunks) == 2
    kept.keep("b", [4], vectors(rng, [2]))
    assert kept.best("a", 2, query, 1) is None
    assert kept.best("b", 1, query, 5).chunks.tolist() == [4]
    kept.let_go("b", [4])
    assert len(kept.best("b", 0, query, 5).chunks) == 0


@pytest.mark.parametrize("segment_bytes", [1, 60, 1 << 20])
def test_chunks_that_are_kept_are_scored_by_id(segment_bytes, monkeypatch) -> None:
    monkeypatch.setattr(residence, "_SEGMENT_BYTES", segment_bytes)
    rng = np.random.default_rng(0)
    query, kept, values = question(rng), Residence(FakeResident), {}
    assert kept.scores("a", query, [7]) is None
    for ids, lengths in [([7, 9], [4, 2]), ([3], [5]), ([20, 21, 22], [1, 0, 6])]:
        docs = vectors(rng, lengths)
        values |= dict(zip(ids, reference.maxsim(query, docs).values, strict=True))
        kept.keep("a", ids, docs)
    kept.let_go("a", [9])
    asked = [22, 9, 3, 1, 99, 21, 7, 7]
    expected = [values[one] if one in values.keys() - {9} else np.nan for one in asked]
    np.testing.assert_allclose(kept.scores("a", query, asked), expected)
    assert len(kept.scores("a", query, [])) == 0
    assert kept.scores("b", query, asked) is None
    kept.let_all_go()
    assert kept.scores("a", query, asked) is None


def test_where_there_is_no_room_nothing_is_kept() -> None:
    rng = np.random.default_rng(0)
    query, made = question(rng), []

    def make(docs: TokenVectors) -> FakeResident:
        if made:
            raise BackendUnavailable("no room")
        made.append(docs)
        return FakeResident(docs)

    kept = Residence(make)
    kept.keep("a", [1], vectors(rng, [2]))
    with pytest.raises(BackendUnavailable):
        kept.keep("a", [2], vectors(rng, [2]))
    assert kept.best("a", 1, query, 1) is None
    assert kept._segments == []


# --- the searches' side ---


@pytest.fixture
def late(full):
    """The store, its late space, and a worker for it."""
    index = full.index
    [space] = [one for one in index.store.spaces() if one.spec.role == "late"]
    return index.store, space, FakeWorker()


def all_by_score(store, space, query) -> list[int]:
    runs = store.complete_documents(space).values()
    ids = [one for run in runs for one in run]
    docs = store.token_vectors(space, ids)
    values = reference.maxsim(query, docs).values
    return [ids[i] for i in np.lexsort((ids, -values)) if values[i] > -np.inf]


def test_it_ranks_every_chunk_and_follows_the_documents(full, late) -> None:
    store, space, worker = late
    kept = Exhaustive(worker, space)
    query = worker.query("lighthouse water belt").tokens
    before = kept.best(store, query, 50).chunks.tolist()
    assert before == all_by_score(store, space, query)
    assert len(before) >= 3
    (full.folder / "garden.txt").unlink()
    full.write("lake.txt", "Still water under a lighthouse.\n")
    full.scan()
    full.read()
    full.fill()
    after = kept.best(store, query, 50).chunks.tolist()
    assert after == all_by_score(store, space, query)
    assert set(after) - set(before)
    assert set(before) - set(after)


def until_loaded(kept: Exhaustive, store, query) -> object:
    limit = time.monotonic() + 20
    while (found := kept.best(store, query, 50)) is None:
        assert time.monotonic() < limit, "it is not loaded"
        time.sleep(0.01)
    return found


def test_many_chunks_are_loaded_beside_the_searches(late, monkeypatch) -> None:
    monkeypatch.setattr(exhaustive, "_AT_ONCE", 1)
    monkeypatch.setattr(exhaustive, "_BATCH_CHUNKS", 2)
    store, space, worker = late
    query = worker.query("lighthouse").tokens
    kept = Exhaustive(worker, space)
    assert kept.best(store, query, 5) is None
    found = until_loaded(kept, store, query)
    assert found.chunks.tolist() == all_by_score(store, space, query)


def test_a_worker_that_was_started_anew_gets_all_again(late) -> None:
    store, space, worker = late
    query = worker.query("lighthouse").tokens
    kept = Exhaustive(worker, space)
    first = kept.best(store, query, 5)
    worker._session = replace(worker._session)  # as a new process: it keeps nothing
    assert kept.best(store, query, 5) is None
    assert kept.best(store, query, 5).chunks.tolist() == first.chunks.tolist()


def test_what_does_not_fit_is_not_tried_again_at_once(late, monkeypatch) -> None:
    monkeypatch.setattr(exhaustive, "_AT_ONCE", 1)
    store, space, worker = late
    query = worker.query("lighthouse").tokens
    asked = []
    worker.free_bytes = lambda: asked.append(1) or 0
    kept = Exhaustive(worker, space)
    for _ in range(5):
        assert kept.best(store, query, 5) is None
        time.sleep(0.02)
    assert len(asked) == 1


def test_loading_anew_needs_no_room_for_what_was_kept_before(late, monkeypatch) -> None:
    """After many changes: what is gone takes room until then."""
    monkeypatch.setattr(exhaustive, "_AT_ONCE", 1)
    store, space, worker = late
    query = worker.query("lighthouse").tokens
    needed = store.space_bytes(space)
    worker.free_bytes = lambda: (
        0 if worker._session._residence._segments else 2 * needed
    )
    kept = Exhaustive(worker, space)
    first = until_loaded(kept, store, query)
    kept._n_gone = 10**6
    assert kept.best(store, query, 50) is None
    assert until_loaded(kept, store, query).chunks.tolist() == first.chunks.tolist()


def test_only_what_is_not_kept_is_fetched_and_scored(late, monkeypatch) -> None:
    store, space, worker = late
    query = worker.query("lighthouse water belt").tokens
    [first, *others] = all_by_score(store, space, query)
    ids = np.array([others[-1], first, *others[:-1], 10**6], dtype=np.int64)
    plain = LateLeg(store, space, query, begin_maxsim(worker))
    leg = replace(plain, exhaustive=Exhaustive(worker, space))
    expected = plain.score(ids)
    np.testing.assert_array_equal(leg.score(ids), expected)  # nothing is kept yet
    leg.best(5)
    worker._session.let_go(leg.exhaustive._name, [first])  # as if it came a moment ago
    fetched = noted(store, monkeypatch)
    np.testing.assert_array_equal(replace(leg).score(ids), expected)
    assert fetched == [first, 10**6]
    monkeypatch.setattr(worker, "scores", crash)
    np.testing.assert_array_equal(replace(leg).score(ids), expected)


def test_the_best_of_a_few_are_asked_for_by_name(late, monkeypatch) -> None:
    store, space, worker = late
    query = worker.query("lighthouse water belt").tokens
    kept = Exhaustive(worker, space)
    leg = LateLeg(store, space, query, begin_maxsim(worker), kept)
    ranked, asked = all_by_score(store, space, query), []
    assert leg.best(1).tolist() == ranked[:1]
    best = worker.best
    monkeypatch.setattr(worker, "best", lambda *a: asked.append(a) or best(*a))
    few = np.sort(ranked[1:])
    within = Selection(few, lambda ids: np.isin(ids, few))
    assert leg.best(2, within).tolist() == ranked[1:3]
    assert leg.best(99, within).tolist() == ranked[1:]
    assert len(asked) == 2, "never of all, again and again"


def begin_maxsim(worker):
    return lambda query, docs: worker.maxsim(query, docs).result


def noted(store, monkeypatch) -> list[int]:
    """All chunks whose token vectors are fetched from now on."""
    fetched: list[int] = []
    fetch = store.token_vectors

    def note(space, chunk_ids):
        fetched.extend(chunk_ids)
        return fetch(space, chunk_ids)

    monkeypatch.setattr(store, "token_vectors", note)
    return fetched


def crash(*arguments):
    raise EncoderCrashed("no memory")


@pytest.mark.parametrize("mode", ["late", "hybrid"])
def test_hits_are_those_of_vectors_that_are_fetched(full, mode, monkeypatch) -> None:
    index = full.index
    index.settings = replace(index.settings, exhaustive=True)
    query = "who watches a belt of water"
    kept = index.search(query, mode=mode)  # brings them over
    fetched = noted(index.store, monkeypatch)
    kept = index.search(query, mode=mode)
    assert fetched == []
    monkeypatch.setattr(FakeWorker, "scores", crash)
    plain = index.search(query, mode=mode)
    assert fetched
    assert len(kept.hits) == 3
    assert kept.hits == plain.hits


def test_a_worker_that_crashes_leaves_the_shortlist(late) -> None:
    store, space, worker = late
    query = worker.query("lighthouse").tokens
    worker.keep = crash
    assert Exhaustive(worker, space).best(store, query, 5) is None


@pytest.mark.parametrize("wanted", [True, False])
def test_the_setting_finds_what_no_shortlist_holds(bench, wanted, monkeypatch) -> None:
    for number in range(12):
        bench.write(f"other{number}.txt", f"Nothing of the kind {number}.\n")
    bench.write("target.txt", "Violins and oboes.\n")
    bench.scan()
    bench.read()
    bench.fill()
    none = np.empty(0, np.int64), np.empty(0, np.float32)
    monkeypatch.setattr(legs.LexicalLeg, "best", lambda *arguments: none)
    monkeypatch.setattr(legs.DenseLeg, "best", lambda *arguments: none)
    monkeypatch.setattr("pplx_local.store.documents.NULL_SAMPLE", 0)
    index = bench.index
    index.settings = replace(index.settings, exhaustive=wanted)
    hits = index.search("violins", mode="late", k=3).hits
    assert bool(hits) is wanted
    if wanted:
        assert os.fsdecode(hits[0].path).endswith("target.txt")
        [hit] = index.search("violins kind path:other7", mode="late", k=3).hits
        assert os.fsdecode(hit.path).endswith("other7.txt")
