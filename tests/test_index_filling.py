"""Embedding in turns with all the rest: documents come, change and go meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk
from fakes import FakeWorker, fake_checkpoint
from workbench import Bench, Steps

from pplx_local.encoding import WorkerInfo
from pplx_local.errors import BackendUnavailable
from pplx_local.index import (
    Workers,
    encode,
    portions,
)
from pplx_local.records import (
    Encoded,
    FileRecord,
    WindowPlan,
)


class Slow(FakeWorker):
    """A worker that answers when it is told to."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(fake_checkpoint())
        self.is_loaded = True
        self.refusal: Exception | None = None
        self.held: list[Callable[[], None]] = []
        self.holds = False

    def is_ready(self) -> bool:
        return self.is_loaded

    def info(self) -> WorkerInfo:
        if self.refusal:
            raise self.refusal
        return super().info()

    def plan(
        self,
        texts: Sequence[str],
        owned: range | None = None,
        headings: Sequence[str] | None = None,
    ) -> Future[list[WindowPlan]]:
        return Future() if not self.is_loaded else super().plan(texts, owned, headings)

    def encode(self, plans: Sequence[WindowPlan]) -> Future[Encoded]:
        if not self.holds:
            return super().encode(plans)
        answer: Future[Encoded] = Future()
        self.held.append(lambda: answer.set_result(self._session.encode(plans)))
        return answer

    def go_on(self) -> None:
        self.holds = False
        while self.held:
            self.held.pop(0)()


@pytest.fixture
def slow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The bench's worker, with small batches and small portions."""
    monkeypatch.setattr(encode, "BATCH_CHARS", 200)
    monkeypatch.setattr(encode, "MOST_CHARS", 200)
    monkeypatch.setattr(encode, "FEWEST_CHARS", 200)
    monkeypatch.setattr(portions, "PORTION_CHARS", 1_000)
    worker = Slow()
    bench.index._workers = Workers(lambda *args: worker, bench.settings)
    return worker


def long_text(name: str, n_words: int = 4_000) -> str:
    return " ".join(f"{name}{number}" for number in range(n_words))


def steps_until(steps: Steps, done: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if done():
            return
        next(steps)
    raise AssertionError("it never came so far")


def test_filling_takes_turns_while_a_batch_is_encoded(bench: Bench, slow: Slow) -> None:
    bench.scan()
    bench.read()
    slow.holds = True
    steps = bench.index.fill().run()
    for _ in range(5):
        next(steps)
        bench.check_whole()
    slow.go_on()
    list(steps)
    assert bench.index.status().coverage["dense"] == 1


def test_what_is_read_meanwhile_counts_as_left(
    bench: Bench, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all would be done in no time, and go on for long."""
    monkeypatch.setattr(encode, "COUNT_EVERY_S", -1.0)
    bench.scan()
    bench.read()
    steps = bench.index.fill().run()
    before = next(one for one in steps if one.stage == "encode" and one.done)
    bench.write("long.txt", long_text("word"))
    bench.scan()
    bench.read()
    after = next(one for one in steps if one.done > before.done)
    assert after.total
    assert after.total > 10 * after.done
    assert sum(1 for _ in steps), "and it is embedded in the same go"
    assert bench.index.status().coverage["dense"] == 1


def test_filling_takes_turns_while_the_model_loads(bench: Bench, slow: Slow) -> None:
    bench.scan()
    bench.read()
    slow.is_loaded = False
    steps = bench.index.fill().run()
    assert [next(steps).stage for _ in range(4)] == ["load"] * 4
    assert not bench.index.search("lighthouse", wait=False).legs["dense"].ran
    slow.is_loaded = True


def test_a_search_need_not_wait_for_the_model(full: Bench, slow: Slow) -> None:
    slow.is_loaded = False
    answer = full.index.search("lighthouse", wait=False)
    assert answer.legs["dense"].reason == "the model is being loaded"
    assert answer.legs["late"].reason == "the model is being loaded"
    assert answer.hits[0].path.endswith(b"harbour.md")
    slow.is_loaded = True
    answer = full.index.search("lighthouse", wait=False)
    assert answer.legs["dense"].ran


def test_a_search_tells_why_a_model_cannot_be_loaded(full: Bench, slow: Slow) -> None:
    slow.refusal = BackendUnavailable("no framework here")
    answer = full.index.search("lighthouse", wait=False)
    assert answer.legs["dense"].reason == "no framework here"


def test_what_is_read_meanwhile_is_embedded_next(bench: Bench, slow: Slow) -> None:
    for number in range(10):
        bench.write(f"long {number}.txt", long_text(f"word{number}x"))
    bench.scan()
    bench.read()
    steps = bench.index.fill().run()
    for _ in range(4):
        next(steps)
    bench.write("just saved.txt", "A sparrow on the roof.\n")
    bench.scan("just saved.txt")
    bench.read()
    for _ in range(4):
        next(steps)
    assert bench.best("sparrow", mode="dense")[0] == "just saved.txt"
    assert bench.index.backlog().documents > 5, "the others are still to come"
    list(steps)
    assert bench.index.backlog() == (0, 0)


def hide(bench: Bench) -> None:
    bench.index.store.put_file(replace_document(bench, None))
    bench.index.settle()


def replace_document(bench: Bench, document_id: int | None) -> FileRecord:
    record = bench.known("long.md")
    assert record is not None
    return replace(record, document_id=document_id)


def begin_long(bench: Bench, n_batches: int) -> tuple[Steps, int]:
    """Embed some batches of a long document, and stop there."""
    bench.write("long.md", long_text("word"))
    bench.scan()
    bench.read()
    bench.write("zz.txt", "Last of all.\n")
    record = bench.known("long.md")
    assert record is not None
    assert record.document_id is not None
    document_id = record.document_id
    space = bench.index.store.spaces
    steps = bench.index.fill().run()
    steps_until(
        steps,
        lambda: (
            sum(
                len(bench.index.store.encoded_chunks(one, document_id))
                for one in space()
            )
            >= n_batches
        ),
    )
    return steps, document_id


def complete(bench: Bench, document_id: int) -> bool:
    """Whether the document is marked as complete in every space."""
    spaces = bench.index.store.spaces()
    return document_id not in set(bench.index.store.unencoded_documents(spaces))


def check_nothing_is_missing(bench: Bench, document_id: int) -> None:
    store = bench.index.store
    first, n_chunks = store._documents.chunk_run(document_id)
    assert n_chunks > 5
    for space in store.spaces():
        assert store.encoded_chunks(space, document_id) == set(
            range(first, first + n_chunks)
        )
    dense = next(one for one in store.spaces() if one.spec.role == "dense")
    codes = store.dense_codes(dense, range(first, first + n_chunks))
    assert codes.any(axis=1).all()


def check_nothing_is_found(bench: Bench, document_id: int) -> None:
    store = bench.index.store
    dense = next(one for one in store.spaces() if one.spec.role == "dense")
    first, n_chunks = store._documents.chunk_run(document_id)
    assert not store.dense_codes(dense, range(first, first + n_chunks)).any()


def test_a_document_hidden_under_way_is_dropped(bench: Bench, slow: Slow) -> None:
    steps, document_id = begin_long(bench, 4)
    hide(bench)
    list(steps)
    hidden = bench.index.store._database.value(
        "SELECT count(*) FROM document_spaces WHERE document_id = ?", (document_id,)
    )
    assert hidden == 0
    assert bench.index.backlog() == (0, 0)
    check_nothing_is_found(bench, document_id)


def test_a_document_hidden_and_shown_between_two_batches_is_completed(
    bench: Bench, slow: Slow
) -> None:
    steps, document_id = begin_long(bench, 4)
    hide(bench)
    bench.index.store.put_file(replace_document(bench, document_id))
    bench.index.settle()
    list(steps)
    assert complete(bench, document_id)
    check_nothing_is_missing(bench, document_id)


@pytest.mark.parametrize("portion_chars", [1_000, 100_000])
def test_a_document_shown_again_after_its_batches_were_dropped_is_completed(
    bench: Bench, slow: Slow, monkeypatch: pytest.MonkeyPatch, portion_chars: int
) -> None:
    monkeypatch.setattr(portions, "PORTION_CHARS", portion_chars)
    steps, document_id = begin_long(bench, 4)
    slow.holds = True
    steps_until(steps, lambda: len(slow.held) == 2)
    hide(bench)
    slow.held.pop(0)()
    next(steps)
    next(steps)  # a batch was written while it was hidden
    bench.index.store.put_file(replace_document(bench, document_id))
    bench.index.settle()
    slow.go_on()
    list(steps)
    assert complete(bench, document_id)
    check_nothing_is_missing(bench, document_id)


def test_a_document_erased_under_way_is_no_trouble(bench: Bench, slow: Slow) -> None:
    steps, _ = begin_long(bench, 4)
    hide(bench)
    bench.index.store.purge()
    list(steps)
    assert bench.index.backlog() == (0, 0)
    assert bench.index.store.integrity_check() == []
    for space in bench.index.store.spaces():
        assert bench.index.store.known_windows(space, []) == {}
    assert bench.index.status().coverage["dense"] == 1


def begin_reuse(bench: Bench, slow: Slow) -> tuple[Steps, int]:
    """Stop where windows of a version before are on their way to the next one."""
    sections = [
        f"# Part {part}\n\n{long_text(f'p{part}w', 150)}\n\n" for part in range(9)
    ]
    bench.write("long.md", "".join(sections))
    bench.scan()
    bench.read()
    bench.fill()
    bench.write("long.md", "".join(sections) + "# The end\n\nMore of it.\n")
    os.utime(bench.folder / "long.md", (1_000, 1_000))
    bench.write("newest.txt", "A sparrow on the roof.\n")
    bench.scan()
    bench.read()
    slow.holds = True
    steps = bench.index.fill().run()
    steps_until(steps, lambda: len(slow.held) > 0)
    next(steps)  # behind the newest
    assert bench.index.backlog().documents == 2
    edited = bench.known("long.md")
    assert edited is not None
    assert edited.document_id is not None
    return steps, edited.document_id


def test_vectors_whose_source_is_erased_under_way_are_made_anew(
    bench: Bench, slow: Slow
) -> None:
    steps, document_id = begin_reuse(bench, slow)
    assert bench.index.store.purge() == 1
    slow.go_on()
    list(steps)
    assert complete(bench, document_id)
    check_nothing_is_missing(bench, document_id)


def test_nothing_is_copied_to_a_document_that_was_hidden_under_way(
    bench: Bench, slow: Slow
) -> None:
    steps, document_id = begin_reuse(bench, slow)
    hide(bench)
    slow.go_on()
    list(steps)
    check_nothing_is_found(bench, document_id)


def test_batches_follow_the_speed_of_the_worker(bench: Bench) -> None:
    worker = Slow()
    bench.index._workers = Workers(lambda *args: worker, bench.settings)
    bench.write("long.md", long_text("word", 60_000))
    bench.scan()
    bench.read()
    sizes: list[int] = []
    real = worker.encode

    def noted(plans: Sequence[WindowPlan]) -> Future[Encoded]:
        sizes.append(sum(len(plan.chunk_indices) for plan in plans))
        return real(plans)

    worker.encode = noted  # type: ignore[method-assign]
    bench.fill()
    assert max(sizes) > 2 * sizes[0], "it is quick"


def test_what_is_left_is_estimated_by_the_tokens_of_the_text_so_far(
    tmp_path: Path,
) -> None:
    """Numbers, code and most languages have more tokens than English prose."""
    desk = Desk(tmp_path)
    for number in range(12):
        desk.write(f"{number}.txt", f"{number} a b c d e f g h " * 500)
    with desk.open(write=True) as index:
        index.add_folder(desk.folder)
        told = [one for one in index.update() if one.stage == "encode"]
    in_all = told[-1].done
    late = [one for one in told if in_all / 3 < one.done < in_all]
    assert late, "in more than one batch"
    for one in late:
        assert one.total == pytest.approx(in_all, rel=0.1)
