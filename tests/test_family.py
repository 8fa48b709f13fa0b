"""A contextual and a late-interaction checkpoint together, from file to answer.

Random weights in the published form, in real worker processes: what is found means
nothing, but every number on the way can be computed by other means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delivered import Program, tiny_checkpoint, write_tiny
from tiny import SEPARATOR, stock_states

from pplx_local import reference
from pplx_local.config import Settings
from pplx_local.errors import PplxLocalError
from pplx_local.index import Index
from pplx_local.models import Profile, load_tokenizer
from pplx_local.records import Mode

pytestmark = pytest.mark.timeout(400)
"""Seven times two frameworks are loaded, each in ten seconds where nothing else runs."""

CONTEXT, LATE = tiny_checkpoint("context"), tiny_checkpoint("late")
PROFILE = f"{CONTEXT.name} + {LATE.name}"
LETTER = (
    "# The lease\n\n"
    + "The tenant shall give notice three months before the end of a quarter. " * 30
    + "\n\n# The valley\n\n"
    + "Glaciers carve valleys into a U shape, while rivers cut narrower ones. " * 30
    + "\n\n# Discovery\n\nA chunk may hold <|endoftext|> and stays one chunk.\n"
)
NOTE = "What motivates scientific discovery is curiosity about the world.\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with both checkpoints, and a folder that is indexed with them."""
    home = tmp_path_factory.mktemp("family") / "home"
    folder = home.parent / "documents"
    folder.mkdir()
    (folder / "letter.md").write_text(LETTER)
    (folder / "note.txt").write_text(NOTE)
    return home


@pytest.fixture(scope="module")
def program(home: Path) -> Program:
    """The program, its checkpoints imported, its documents indexed."""
    program = Program(home, CONTEXT, LATE, HF_HUB_OFFLINE="1")
    for checkpoint, kind in ((CONTEXT, "context"), (LATE, "late")):
        source = write_tiny(home.parent / kind, kind)
        done = program("models", "import", source, "--as", checkpoint.name)
        assert done.returncode == 0, done.stderr
    assert program("models", "use", PROFILE).returncode == 0
    done = program("add", home.parent / "documents")
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module")
def index(program: Program, home: Path) -> Iterator[Index]:
    """The same home, in this process."""
    profile = Profile(CONTEXT, LATE)
    with Index.open(Settings(home, model=PROFILE), profile=profile) as index:
        yield index


def _asked(program: Program, *words: str) -> dict[str, Any]:
    done = program("search", *words, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_both_answer_on_the_command_line(program: Program) -> None:
    answer = _asked(program, "curiosity about the world")
    assert answer["profile"] == {"dense": CONTEXT.name, "late": LATE.name}
    assert {leg: report["ran"] for leg, report in answer["legs"].items()} == {
        "lexical": True, "dense": True, "late": True,
    }  # fmt: skip
    assert all(report["coverage"] == 1 for report in answer["legs"].values())
    assert answer["hits"][0]["path"].endswith("note.txt")


@pytest.mark.parametrize("mode", ["dense", "late"])
def test_each_leg_answers_alone(index: Index, mode: Mode) -> None:
    hits = index.search("curiosity", mode=mode).hits
    assert hits
    assert all(mode in hit.scores for hit in hits)


def test_dense_vectors_are_those_of_the_document_read_as_a_whole(index, home) -> None:
    """By the formulas of the model card, from the chunks that the store holds."""
    model_dir = home / "models" / CONTEXT.name
    tokenizer, states = load_tokenizer(model_dir), stock_states(model_dir)
    (space,) = (s for s in index.store.spaces() if s.spec.role == "dense")
    n_compared = 0
    for document_id in _documents(index):
        chunks = list(index.store.chunk_texts(document_id))
        ids = tokenizer.ids([text for _, _, text in chunks])
        joined = [*chain.from_iterable([*one, SEPARATOR] for one in ids)][:-1]
        hidden = states(np.array(joined, dtype=np.int32))
        starts = np.cumsum([0, *(len(one) + 1 for one in ids)])
        x = np.array(
            [
                hidden[start : start + len(one)].mean(axis=0)
                for start, one in zip(starts, ids, strict=False)
            ]
        )
        expected = reference.quantize_dense(x, "tanh", "sign").codes
        got = index.store.dense_codes(space, [chunk_id for chunk_id, _, _ in chunks])
        assert np.abs(got - expected.astype(int)).max() <= 6  # bfloat16, where it is
        n_compared += len(chunks)
    assert n_compared >= 4


def _documents(index: Index) -> list[int]:
    return sorted({file.document_id for file in index.files() if file.document_id})


def test_a_late_chunk_has_its_prefix_and_no_punctuation(index, home) -> None:
    tokenizer = load_tokenizer(home / "models" / LATE.name)
    (space,) = (s for s in index.store.spaces() if s.spec.role == "late")
    document_id = next(
        file.document_id for file in index.files() if file.path.endswith(b"note.txt")
    )
    ((chunk_id, _, text),) = index.store.chunk_texts(document_id)
    vectors = index.store.token_vectors(space, [chunk_id])
    (ids,) = tokenizer.ids([text])
    words = [n for n, one in enumerate(ids) if one not in LATE.window_rule.skip_ids]
    assert vectors.encoding == "bits"
    assert vectors.positions.tolist() == [-1, *words]


def test_explanations_name_words_of_the_passage(index: Index) -> None:
    hit = index.search("glaciers carve", explain=True).hits[0]
    words = {hit.text[match.text_start : match.text_end] for match in hit.matches}
    assert words
    assert not any(word != word.strip() for word in words)
    assert {match.query_word for match in hit.matches} <= {"glaciers", "carve"}


def test_another_window_limit_costs_the_dense_leg_alone(program, home) -> None:
    """Until the model is used anew; what was there answers, and new files are read."""
    rule = replace(CONTEXT.window_rule, limit=16_384)
    profile = Profile(replace(CONTEXT, window_rule=rule), LATE)
    (home.parent / "documents" / "new.txt").write_text("The valley again.\n")
    settings = Settings(home, model=PROFILE)
    with Index.open(settings, write=True, profile=profile) as other:
        update = other.update()
        list(update)
        answer = other.search("valley again")
        assert update.report.added == 1
        assert "made by an older version" in (update.encoder_error or "")
        by_words = max(answer.hits, key=lambda hit: hit.scores["lexical"])
        assert by_words.path.endswith(b"new.txt")
        assert np.isfinite(by_words.scores["late"])
        assert {leg for leg, report in answer.legs.items() if report.ran} == {
            "lexical", "late",
        }  # fmt: skip
        mended_by = f"pplx-local models use '{PROFILE}', then pplx-local update"
        assert mended_by in (answer.legs["dense"].reason or "")
        with pytest.raises(PplxLocalError, match="made by an older version"):
            other.search("valley", mode="dense")
