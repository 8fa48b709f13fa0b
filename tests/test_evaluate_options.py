"""What `eval` can ask of a collection besides its queries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeWorker
from typer.testing import CliRunner

from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation
from pplx_local.config import Settings
from pplx_local.errors import ConfigError
from pplx_local.evaluate import Evaluation, Options
from pplx_local.evaluate.collection import load_collection, load_queries
from pplx_local.evaluate.distractors import WORDS

DOCS = {
    "engine.txt": "The timing belt of the old engine was worn.",
    "belts.txt": "A leather belt shop opened near the harbour.",
    "harbour.txt": "Ferries leave the harbour at dawn for the islands.",
    "bread.txt": "Sourdough needs flour, water, salt and a warm kitchen.",
}
QUERIES = {
    "1": ("the timing belt of the old engine", "engine.txt"),
    "2": ("when do ferries leave the harbour", "harbour.txt"),
    "3": ("what sourdough needs", "bread.txt"),
}


def write_queries(path: Path, texts: dict[str, str]) -> Path:
    rows = [json.dumps({"id": one, "text": text}) for one, text in texts.items()]
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


@pytest.fixture
def collection(tmp_path) -> Path:
    folder = tmp_path / "sets" / "own"
    (folder / "docs").mkdir(parents=True)
    for name, text in DOCS.items():
        (folder / "docs" / name).write_text(text)
    write_queries(
        folder / "queries.jsonl", {q: text for q, (text, _) in QUERIES.items()}
    )
    qrels = [f"{query}\t{name}\t1\n" for query, (_, name) in QUERIES.items()]
    (folder / "qrels.tsv").write_text("".join(qrels))
    return folder


def evaluation(collection: Path, **options) -> Evaluation:
    settings = Settings(home=collection.parents[1] / "home", model="all-minilm-l6-v2")
    return Evaluation(collection, settings, Options(**options), worker=FakeWorker)


def evaluated(collection: Path, **options) -> dict:
    one = evaluation(collection, **options)
    for _ in one:
        pass
    return one.result


# --- which queries ---


@pytest.mark.parametrize(
    ("sample", "expected"),
    [(None, "123"), ("even", "13"), ("odd", "2"), ("2", "12"), ("9", "123")],
)
def test_a_sample_is_always_the_same(collection, sample, expected):
    assert "".join(load_collection(collection, sample=sample).queries) == expected


def test_the_halves_of_a_set_are_the_whole(collection):
    even, odd = (evaluated(collection, sample=half) for half in ("even", "odd"))
    assert even["queries"] + odd["queries"] == evaluated(collection)["queries"] == 3


@pytest.mark.parametrize("sample", ["half", "0", "-1", ""])
def test_another_sample_is_refused(collection, sample):
    with pytest.raises(ConfigError, match="even, odd or a number"):
        load_collection(collection, sample=sample)


def test_other_queries_are_judged_by_judgments_of_the_same_name(collection):
    write_queries(collection / "queries_train.jsonl", {"t": "a leather belt shop"})
    (collection / "qrels_train.tsv").write_text("t\tbelts.txt\t1\n")
    result = evaluated(collection, queries=Path("queries_train.jsonl"))
    assert result["queries"] == 1
    assert result["metrics"]["hybrid"]["ndcg@10"] == 1


def test_queries_from_elsewhere_are_judged_by_the_usual_judgments(collection, tmp_path):
    path = write_queries(tmp_path / "queries_short.jsonl", {"2": "ferries"})
    assert evaluated(collection, queries=path)["queries"] == 1


def test_a_file_that_holds_no_queries_is_refused_by_name(collection, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not JSON\n")
    with pytest.raises(ConfigError, match=str(path)):
        load_queries(path)
    with pytest.raises(ConfigError, match="nowhere"):
        evaluation(collection, unanswerable=[tmp_path / "nowhere.jsonl"])


# --- legs ---


def test_keywords_alone_need_no_model(collection, tmp_path):
    def refuse(*_: object) -> FakeWorker:
        raise AssertionError("a model was loaded")

    kept = tmp_path / "kept"
    for units in ("given", "own"):
        settings = Settings(home=tmp_path / "home", model="all-minilm-l6-v2")
        options = Options(units=units, legs=["lexical"], keep=kept / units)
        one = Evaluation(collection, settings, options, worker=refuse)
        for _ in one:
            pass
        assert set(one.result["metrics"]) == {"lexical"}
        assert one.result["metrics"]["lexical"]["ndcg@10"] == 1
        assert one.result["profile"] == {"dense": None, "late": None}
    # What is kept can be embedded later, and asked for keywords again.
    whole = evaluated(collection, units="given", keep=kept / "given")
    assert whole["profile"]["dense"]
    again = evaluated(collection, units="given", keep=kept / "given", legs=["lexical"])
    assert set(again["metrics"]) == {"lexical"}
    after = evaluated(collection, units="given", keep=kept / "given")
    assert after["metrics"] == whole["metrics"]


@pytest.mark.parametrize("more", [{"ablate": True}, {"answer_removed": True}])
def test_what_needs_all_legs_has_them(collection, more):
    assert evaluated(collection, legs=["lexical"], **more)["profile"]["dense"]


# --- confidence ---


@pytest.fixture
def foreign(tmp_path) -> Path:
    return write_queries(
        tmp_path / "foreign.jsonl",
        {"x": "boundary layer transition", "y": "supersonic wing flutter"},
    )


def test_what_nothing_answers_is_told_apart(collection, foreign):
    figures = evaluated(collection, unanswerable=[foreign])["confidence"]
    assert figures["unanswerable"] == [
        {"from": str(foreign), "queries": 2, "auc": 1.0, "called_close": 0.0}
    ]
    assert figures["called_close"] == figures["right"] == 1.0


def test_the_sample_is_of_the_unanswerable_queries_too(collection, foreign):
    result = evaluated(collection, unanswerable=[foreign], sample="odd")
    assert result["confidence"]["unanswerable"][0]["queries"] == 1


def test_with_its_answer_kept_out_a_query_is_less_sure(collection):
    figures = evaluated(collection, answer_removed=True)["confidence"]
    assert figures["answer_removed"]["queries"] == 3
    assert figures["answer_removed"]["auc"] == 1.0
    rows = figures["reliability"]
    assert sum(row["queries"] for row in rows) == 6
    assert sum(row["queries"] * row["right"] for row in rows) == 3
    assert rows[-1]["right"] == 1


def test_of_our_own_chunks_those_that_hold_a_part_of_the_answer_are_kept_out(
    collection,
):
    """The rest of a long file stays, and may be what is found."""
    text = DOCS["engine.txt"] + "\n\n" + "Nothing else was wrong with it. " * 120
    (collection / "docs" / "engine.txt").write_text(text)
    passage = {"id": "belt", "doc": "engine.txt", "start": 0, "end": 43}
    (collection / "passages.jsonl").write_text(json.dumps(passage) + "\n")
    (collection / "qrels_passages.tsv").write_text("1\tbelt\t1\n")
    result = evaluated(collection, units="own", sample="1", answer_removed=True)
    assert result["chunks"] > len(DOCS)
    assert result["confidence"]["right"] == 1.0
    assert result["confidence"]["answer_removed"]["auc"] == 1.0


def test_without_a_model_there_is_no_confidence_to_judge(collection, foreign):
    settings = Settings(home=collection.parents[1] / "home", model="none")
    one = Evaluation(collection, settings, Options(unanswerable=[foreign]))
    for _ in one:
        pass
    assert one.result["confidence"]["reliability"] == []


# --- what the shortlist loses ---


def test_every_chunk_can_be_scored(collection):
    metrics = evaluated(collection, exhaustive=True)["metrics"]
    assert {"dense exhaustive", "late exhaustive", "hybrid exhaustive"} < set(metrics)
    assert metrics["late exhaustive"] == metrics["late"], "so few are all candidates"


def test_a_shortlist_is_compared_with_every_chunk(collection, monkeypatch):
    """Found by neither leg, the answer is missed by all but the exhaustive one."""
    monkeypatch.setattr("pplx_local.search.searcher.CANDIDATES", 1)
    monkeypatch.setattr("pplx_local.evaluate.asking.SHOWN", 1)
    write_queries(collection / "queries.jsonl", {"1": "harbour harbour dawn"})
    (collection / "qrels.tsv").write_text("1\tbread.txt\t1\n")
    monkeypatch.setattr("pplx_local.store.documents.NULL_SAMPLE", 1)
    metrics = evaluated(collection, exhaustive=True)["metrics"]
    assert metrics["hybrid shortlist"]["recall@10"] == 0
    assert metrics["hybrid exhaustive"]["recall@10"] == 1


# --- distractors and kept indexes ---


@pytest.fixture
def beside(collection) -> Path:
    docs = collection.parent / "other" / "docs"
    docs.mkdir(parents=True)
    for name in ("engine.txt", "long.txt"):  # the first is called like one of our own
        words = (f"{name[:4]}{number}" for number in range(2 * WORDS))
        (docs / name).write_text(" ".join(words))
    return docs


def test_distractors_come_from_the_collections_beside_it(collection, beside):
    plain, among = evaluated(collection), evaluated(collection, distractors=7)
    assert among["chunks"] == plain["chunks"] + 7
    assert among["metrics"]["hybrid"]["ndcg@10"] == 1


def test_a_distractor_with_the_name_of_a_document_is_not_taken_for_it(
    collection, beside
):
    write_queries(collection / "queries.jsonl", {"1": "engi7 engi8 engi9"})
    metrics = evaluated(collection, distractors=7)["metrics"]
    assert metrics["lexical"]["ndcg@10"] == 0


def test_more_distractors_than_the_texts_hold_are_refused(collection, beside):
    with pytest.raises(ConfigError, match="room for 24 of them"):
        evaluated(collection, distractors=25)


def test_distractors_can_be_cut_from_named_texts(collection, tmp_path):
    (tmp_path / "novel.md").write_text("call me ishmael " * 100)
    result = evaluated(collection, distractors=3, distractors_from=[tmp_path])
    assert result["chunks"] == len(DOCS) + 3


class CountingWorker(FakeWorker):
    encoded: list[int]

    def encode(self, plans):
        self.encoded.append(len(plans))
        return super().encode(plans)


def test_an_index_that_is_kept_is_used_again(collection, beside, tmp_path):
    counting = type("Counting", (CountingWorker,), {"encoded": []})
    settings = Settings(home=tmp_path / "home", model="all-minilm-l6-v2")
    options = Options(keep=tmp_path / "kept", distractors=3)
    results = []
    for _ in range(2):
        one = Evaluation(collection, settings, options, worker=counting)
        for _ in one:
            pass
        results.append(one.result)
    assert sum(counting.encoded) == len(DOCS) + 3
    assert results[0]["metrics"] == results[1]["metrics"]


def test_the_index_of_another_evaluation_is_refused(collection, tmp_path):
    evaluated(collection, keep=tmp_path / "kept")
    with pytest.raises(ConfigError, match=r"another evaluation.*units own"):
        evaluated(collection, keep=tmp_path / "kept", units="given")


def test_a_folder_that_is_no_kept_index_is_refused(collection):
    with pytest.raises(ConfigError, match="not the index of an evaluation"):
        evaluated(collection, keep=collection / "docs")
    assert {path.name for path in (collection / "docs").iterdir()} == set(DOCS)


# --- the command ---


def test_the_command_shows_how_sure_it_was(collection, foreign, tmp_path):
    command = ["--home", str(tmp_path / "home"), "eval", str(collection)]
    flags = ["--unanswerable", str(foreign), "--answer-removed", "--sample", "even"]
    settings = tmp_path / "home" / "config.toml"
    settings.parent.mkdir()
    settings.write_text('model = "all-minilm-l6-v2"\n')
    result = CliRunner().invoke(app, command + flags, obj=Invocation(worker=FakeWorker))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "something is close: 100.0% of the queries" in lines
    assert f"of {foreign}: 0.0%, AUC of confidence 1.0000" in lines
    assert any(line.startswith("0.9 to 1.0") for line in lines)
