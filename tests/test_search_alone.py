"""Profiles of one leg: late interaction without a dense model, and a dense model alone."""

from __future__ import annotations

import os
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeWorker, fake_checkpoint, install_fake_checkpoint

from pplx_local import reference
from pplx_local.config import Settings
from pplx_local.index import Index
from pplx_local.models import Profile, space_spec
from pplx_local.records import TokenVectors

LATE = fake_checkpoint(roles=("late",), token_pooling=1)
DENSE = fake_checkpoint(roles=("dense",))
PROFILES = {"late": Profile(None, LATE), "dense": Profile(DENSE, None)}

TEXTS = {
    "car.txt": "The timing belt of the car is changed after five years.",
    "bread.txt": "Sourdough bread rests for a night before it is baked.",
    "garden.txt": "Tomatoes want sun, water at the root, and a stake.",
    "lease.txt": "The tenant shall give notice three months before the end.",
}


class Alone:
    """A home with a profile of one role, written step by step."""

    def __init__(self, root: Path, profile: Profile) -> None:
        self.settings, self.profile = Settings(home=root / "home"), profile
        install_fake_checkpoint(self.settings.home)
        self.folder = root / "documents"
        self.folder.mkdir()
        for name, text in TEXTS.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def open(self, *, write: bool = False) -> Index:
        return Index.open(
            self.settings, write=write, worker=FakeWorker, profile=self.profile
        )

    def update(self) -> None:
        with self.open(write=True) as index:
            index.add_folder(self.folder)
            list(index.update())

    def paths(self, query: str, **options: object) -> list[str]:
        with self.open() as index:
            hits = index.search(query, **options).hits  # type: ignore[arg-type]
        return [Path(os.fsdecode(hit.path)).name for hit in hits]


@pytest.fixture
def late(tmp_path: Path) -> Alone:
    alone = Alone(tmp_path, PROFILES["late"])
    alone.update()
    return alone


def unmatched_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave it to the vectors: keywords bring no candidates, nor does the null sample."""
    nothing = np.empty(0, np.int64)
    monkeypatch.setattr(
        "pplx_local.search.legs.LexicalLeg.candidates", lambda *_: nothing
    )
    monkeypatch.setattr("pplx_local.store.Store.null_sample", lambda *_: nothing)


def test_late_interaction_alone_finds_what_keywords_do_not_bring(
    late: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmatched_by_words(monkeypatch)
    assert late.paths("timing belt of the car", mode="late")[0] == "car.txt"
    assert late.paths("Tomatoes want a stake", mode="late", k=1) == ["garden.txt"]


def test_its_answer_says_that_there_is_no_dense_leg(late: Alone) -> None:
    with late.open() as index:
        answer = index.search("timing belt", explain=True)
    assert answer.profile == {"dense": None, "late": "fake"}
    assert answer.legs["late"].ran
    assert not answer.legs["dense"].ran
    assert {match.query_word for match in answer.hits[0].matches} == {"timing", "belt"}


def test_means_are_hidden_shown_copied_and_erased_with_their_documents(
    late: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmatched_by_words(monkeypatch)
    car = late.folder / "car.txt"
    text = car.read_text()
    car.unlink()
    late.update()
    assert "car.txt" not in late.paths("timing belt of the car", mode="late")
    car.write_text(text)
    late.update()
    assert late.paths("timing belt of the car", mode="late")[0] == "car.txt"
    (late.folder / "copy.txt").write_text(f"{text}\n")  # another document, same tokens
    late.update()
    assert set(late.paths("timing belt of the car", mode="late")[:2]) == {
        "car.txt",
        "copy.txt",
    }
    car.unlink()
    (late.folder / "copy.txt").unlink()
    late.update()
    with late.open(write=True) as index:
        index.purge()
        (space,) = index.store.spaces()
        kept = {
            table: index.store._database.value(
                f"SELECT count(*) FROM {table}_{space.space_id}"
            )
            for table in ("parked", "tokens")
        }
    assert kept == {"parked": 0, "tokens": len(TEXTS) - 1}


def test_a_dense_model_alone_answers_with_a_confidence_or_none(tmp_path: Path) -> None:
    alone = Alone(tmp_path, PROFILES["dense"])
    alone.update()
    with alone.open() as index:
        answer = index.search("timing belt", explain=True)
        with pytest.raises(Exception, match="late leg cannot run"):
            index.search("timing belt", mode="late")
    best = answer.hits[0]
    assert best.path.endswith(b"car.txt")
    assert best.scores.keys() == {"dense", "lexical"}
    assert isnan(best.confidence) or 0 <= best.confidence <= 1
    assert best.matches == ()
    assert answer.profile == {"dense": "fake", "late": None}


# --- the rule ---


def test_a_space_of_tokens_has_means_only_where_its_model_has_no_dense_role() -> None:
    alone = space_spec(LATE, "late", Path("nowhere"))
    beside = space_spec(fake_checkpoint(), "late", Path("nowhere"))
    assert "shortlist" in alone.rules
    assert "shortlist" not in beside.rules
    assert alone.fingerprint != beside.fingerprint


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_mean_vectors_are_the_quantised_means_of_each_chunk(encoding) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, 16)).astype(np.float32)
    cu_seqlens = np.array([0, 4, 4, 9], np.int32)
    tokens: TokenVectors = reference.quantize_tokens(
        x, cu_seqlens, np.zeros(9, np.int32), encoding
    )
    rows = np.where(x >= 0, 1.0, -1.0) if encoding == "bits" else reference.unit_rows(x)
    means = np.array([rows[:4].mean(axis=0), rows[4:].mean(axis=0)], np.float32)
    expected = reference.quantize_dense(means, "max_abs", "three_thresholds")
    vectors = reference.mean_vectors(tokens)
    assert not vectors.codes[1].any()
    off = np.abs(vectors.codes[[0, 2]].astype(int) - expected.codes)
    assert off.max() <= (0 if encoding == "bits" else 1)
