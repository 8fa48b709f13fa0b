"""Documents whose chunks are read together: indexed in portions, edited, found again."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from desk import Desk
from fakes import FakeContextEncoder, FakeWorker, fake_checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from pplx_local.index import Index, encode, portions
from pplx_local.index.portions import ChunkText, Portion, portions_of
from pplx_local.models import Checkpoint, Profile
from pplx_local.records import Encoded, TokenVectors, WindowPlan
from pplx_local.store import Store
from pplx_local.window import WindowRule

CONTEXT = fake_checkpoint(window_rule=WindowRule("context", 2_400, separator_id=1))
SINGLE = fake_checkpoint()


class ContextWorker(FakeWorker):
    """A worker that notes what it is sent."""

    encoder_type = FakeContextEncoder

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.sent: list[tuple[list[str], range | None]] = []
        self.windows: list[WindowPlan] = []

    def plan(
        self,
        texts: Sequence[str],
        owned: range | None = None,
        headings: Sequence[str] | None = None,
    ) -> Future[list[WindowPlan]]:
        self.sent.append((list(texts), owned))
        return super().plan(texts, owned, headings)

    def encode(self, plans: Sequence[WindowPlan]) -> Future[Encoded]:
        self.windows += plans
        return super().encode(plans)


class ContextDesk(Desk):
    """A desk whose checkpoint reads chunks together, unless it is given another."""

    def __init__(self, root: Path, checkpoint: Checkpoint = CONTEXT) -> None:
        root.mkdir(exist_ok=True)
        super().__init__(root)
        self.checkpoint = checkpoint
        self.noted = ContextWorker(checkpoint)

    def open(self, *, write: bool = False, model: bool = True) -> Index:
        profile = Profile(self.checkpoint, self.checkpoint)
        return Index.open(
            self.settings, write=write, worker=self._make_worker, profile=profile
        )

    def _make_worker(self, *args: object) -> FakeWorker:
        self.noted = ContextWorker(self.checkpoint)
        return self.noted

    def chunk_ids(self, store: Store) -> list[int]:
        document_id = self.file("book.md").document_id
        assert document_id is not None
        return [chunk_id for chunk_id, _, _ in store.chunk_texts(document_id)]

    def vectors(self) -> list[np.ndarray]:
        """All vectors of the book, in the order of its text."""
        with self.open() as index:
            ids = self.chunk_ids(index.store)
            dense, late = index.store.spaces()
            tokens = index.store.token_vectors(late, ids)
            return [index.store.dense_codes(dense, ids), *arrays_of(tokens)]


def arrays_of(tokens: TokenVectors) -> list[np.ndarray]:
    return [tokens.codes, tokens.positions, tokens.cu_seqlens]


def section(number: int, n_words: int = 150) -> str:
    """A section that is one chunk; no two are alike."""
    chance = random.Random(number)
    words = " ".join(f"w{chance.randrange(900)}" for _ in range(n_words))
    return f"# Section {number}\n\n{words}\n\n"


@pytest.fixture(params=[200_000, 24_000], ids=["one portion", "portions"])
def portion_chars(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> int:
    monkeypatch.setattr(portions, "PORTION_CHARS", request.param)
    chars: int = request.param
    return chars


def same(one: Desk, other: Desk) -> bool:
    assert isinstance(one, ContextDesk)
    assert isinstance(other, ContextDesk)
    pairs = zip(one.vectors(), other.vectors(), strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


EDITS = {
    "top": lambda sections: [section(1_000), *sections],
    "middle": lambda sections: [*sections[:100], section(1_000, 90), *sections[101:]],
    "a part deleted": lambda sections: [*sections[:60], *sections[75:]],
    "end": lambda sections: [*sections, section(1_000)],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.usefixtures("portion_chars")
def test_after_an_edit_most_windows_are_reused_and_all_vectors_right(
    tmp_path: Path, edit
) -> None:
    sections = [section(number) for number in range(200)]
    desk, fresh = ContextDesk(tmp_path / "edited"), ContextDesk(tmp_path / "fresh")
    desk.write("book.md", "".join(sections))
    desk.update()
    n_windows = len(desk.noted.windows)
    assert n_windows > 18
    for one in (desk, fresh):
        one.write("book.md", "".join(edit(sections)))
    report = desk.update()
    assert report.encoded_tokens > 0
    assert report.reused_windows > 0.6 * n_windows
    assert fresh.update().reused_windows == 0
    assert same(desk, fresh)


@pytest.mark.parametrize("limit", [2_400, 120])  # the second is less than a chunk
@pytest.mark.usefixtures("portion_chars")
def test_every_chunk_is_encoded_once(tmp_path: Path, limit: int) -> None:
    rule = WindowRule("context", limit, separator_id=1)
    desk = ContextDesk(tmp_path, fake_checkpoint(window_rule=rule))
    sections = [section(number, 70 + number) for number in range(80)]
    sections[40:40] = ["." * 3_000 + "\n\n"]  # chunks without tokens
    desk.write("book.md", "".join(sections))
    desk.update()
    document_id = desk.file("book.md").document_id
    assert document_id is not None
    with desk.open() as index:
        texts = [(i, text) for i, _, text in index.store.chunk_texts(document_id)]
        wordless = {i for i, text in texts if not re.search(r"\w", text)}
        for space in index.store.spaces():
            encoded = index.store.encoded_chunks(space, document_id)
            assert encoded == {i for i, _ in texts} - wordless
        assert index.status().coverage == {"lexical": 1, "dense": 1, "late": 1}
    assert wordless
    owned = [i for one in desk.noted.windows for i in one.chunk_indices]
    assert len(owned) == len(encoded)


@pytest.mark.usefixtures("portion_chars")
def test_stopping_anywhere_changes_no_vector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode, "BATCH_CHARS", 1)
    monkeypatch.setattr(encode, "MOST_CHARS", 1)
    sections = [section(number) for number in range(150)]
    desk, fresh = ContextDesk(tmp_path / "stopped"), ContextDesk(tmp_path / "fresh")
    for one in (desk, fresh):
        one.write("book.md", "".join(sections))
        one.write("short.md", "".join(sections[40:60]))
    fresh.update()
    for stop_after in range(1, 14):
        with desk.open(write=True) as index:
            index.add_folder(desk.folder)
            for step, _ in enumerate(index.update()):
                if step == stop_after:
                    break
    desk.update()
    assert same(desk, fresh)


def test_windows_read_beyond_the_ends_of_their_portion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "PORTION_CHARS", 24_000)
    desk = ContextDesk(tmp_path)
    desk.write("book.md", "".join(section(number) for number in range(150)))
    desk.update()
    assert len(desk.noted.sent) > 4
    windows = [one for plan in desk.noted.windows for one in plan.windows]
    assert all(one.pool_spans[0].start >= 150 for one in windows[1:])
    assert all(
        len(one.token_ids) - one.pool_spans[-1].end >= 150 for one in windows[:-1]
    )


def test_chunks_that_are_read_alone_are_sent_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "PORTION_CHARS", 10_000)
    desk = ContextDesk(tmp_path, SINGLE)
    desk.write("book.md", "".join(section(number) for number in range(60)))
    desk.update()
    assert len(desk.noted.sent) > 3
    for texts, owned in desk.noted.sent:
        assert owned == range(len(texts))
    sizes = [sum(map(len, texts)) for texts, _ in desk.noted.sent]
    assert all(10_000 <= size < 11_000 for size in sizes[:-1])
    with desk.open() as index:
        assert sum(len(texts) for texts, _ in desk.noted.sent) == index.status().chunks


# --- portions by themselves ---


def owned_ids(portion: Portion) -> list[int]:
    return portion.chunk_ids[portion.owned.start : portion.owned.stop]


def n_chars(texts: Sequence[str]) -> int:
    return sum(map(len, texts))


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 50), max_size=60), st.sampled_from([None, 0, 20, 90, 400])
)
def test_portions_own_each_chunk_once_and_carry_their_context(
    sizes: list[int], margin: int | None
) -> None:
    texts = [chr(0x4E00 + number) * size for number, size in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "PORTION_CHARS", 200)
        found = list(portions_of(7, map(ChunkText, count(), texts), margin))
    assert [i for one in found for i in owned_ids(one)] == list(range(len(texts)))
    assert [one.is_last for one in found] == [False] * (len(found) - 1) + [True]
    assert len(found) == 1 or n_chars(texts) > 200
    for one in found:
        assert one.texts == [texts[i] for i in one.chunk_ids]
        if texts:
            first, last = owned_ids(one)[0], owned_ids(one)[-1]
            after = len(one.texts) - one.owned.stop
            assert one.owned.start == n_fitting(texts[:first][::-1], margin or 0)
            assert after == n_fitting(texts[last + 1 :], margin or 0)


def n_fitting(texts: Sequence[str], margin: int) -> int:
    return sum(n_chars(texts[: n + 1]) <= margin for n in range(len(texts)))


def test_portions_fall_into_step_after_an_edit() -> None:
    chance = random.Random(3)
    texts = [str(chance.random()) * 60 for _ in range(3_000)]  # about 1,100 each
    new = []
    for place in (0, 500, 1_000, 1_500):
        edited = [*texts[:place], "an edit", *texts[place + 12 :]]
        known = {
            tuple(one.texts)
            for one in portions_of(7, map(ChunkText, count(), texts), 9_000)
        }
        after = {
            tuple(one.texts)
            for one in portions_of(7, map(ChunkText, count(), edited), 9_000)
        }
        assert len(known) > 15
        new.append(len(after - known))
    assert np.mean(new) < 5


def test_a_document_is_read_no_further_than_its_next_portion() -> None:
    taken = 0

    def chunks() -> Iterator[ChunkText]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield ChunkText(number, "x" * 2_000)

    for one in portions_of(7, chunks(), 9_000):
        assert taken <= one.chunk_ids[-1] + 1 + 200_000 // 2_000
        assert one.n_chars <= 200_000 + 2 * 9_000
    assert taken == 1_000
