"""The figures of an evaluation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from fakes import FakeContextEncoder, FakeWorker, WordTokenizer
from typer.testing import CliRunner

from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation
from pplx_local.config import Settings
from pplx_local.errors import ConfigError
from pplx_local.evaluate import Evaluation, Options
from pplx_local.evaluate.collection import load_collection
from pplx_local.evaluate.filling import write_given
from pplx_local.evaluate.metrics import judge
from pplx_local.models import CATALOGUE, STARTER
from pplx_local.records import Span
from pplx_local.store import Store

CONTEXT = CATALOGUE["pplx-embed-context-v1-0.6b"]


def test_a_perfect_ranking_scores_one():
    figures = judge(["a", "b", "x"], {"a": 2, "b": 1})
    assert figures == {"ndcg@10": 1.0, "recall@10": 1.0, "recall@100": 1.0}


def test_ndcg_discounts_by_rank_with_linear_gains():
    figures = judge(["x", "a"], {"a": 3})
    assert figures["ndcg@10"] == pytest.approx(1 / math.log2(3))


def test_a_grade_of_zero_is_not_relevant():
    figures = judge(["b"], {"a": 1, "b": 0})
    assert figures["recall@10"] == 0


def test_recall_at_ten_looks_at_ten():
    ranked = [*"0123456789", "a"]
    figures = judge(ranked, {"a": 1})
    assert (figures["recall@10"], figures["recall@100"]) == (0, 1)


def test_a_folder_that_is_no_collection_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=str(tmp_path)):
        load_collection(tmp_path)


def test_a_broken_line_is_refused(tmp_path):
    (tmp_path / "queries.jsonl").write_text('{"id": "1"}\n')
    (tmp_path / "qrels.tsv").write_text("")
    with pytest.raises(ConfigError, match="text"):
        load_collection(tmp_path)


def test_a_lone_leg_cannot_be_left_out(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Herring swim in the harbour.\n")
    (tmp_path / "queries.jsonl").write_text('{"id": "1", "text": "herring"}\n')
    (tmp_path / "qrels.tsv").write_text("1\ta.txt\t1\n")
    settings = Settings(home=tmp_path / "home", model="none")
    evaluation = Evaluation(tmp_path, settings, Options(ablate=True))
    for _ in evaluation:
        pass
    assert set(evaluation.result["metrics"]) == {"lexical", "hybrid"}
    assert evaluation.result["metrics"]["hybrid"]["ndcg@10"] == 1


@pytest.mark.parametrize("units", ["own", "given"])
def test_documents_may_lie_in_folders_and_elsewhere(tmp_path, units):
    elsewhere, collection = tmp_path / "elsewhere", tmp_path / "collection"
    for folder, text in (("sea", "A cormorant on the quay."), ("land", "Leeks grow.")):
        (elsewhere / folder).mkdir(parents=True)
        (elsewhere / folder / "note.txt").write_text(text)
    collection.mkdir()
    (collection / "docs").symlink_to(elsewhere)
    (collection / "queries.jsonl").write_text('{"id": "1", "text": "cormorant"}\n')
    (collection / "qrels.tsv").write_text("1\tsea/note.txt\t1\n")
    options = Options(units=units, legs=("lexical",))
    evaluation = Evaluation(collection, Settings(home=tmp_path / "home"), options)
    for _ in evaluation:
        pass
    assert evaluation.result["metrics"]["lexical"]["ndcg@10"] == 1


# --- late chunking ---


class NotingWorker(FakeWorker):
    """A worker that notes what the windows of documents read and own."""

    encoder_type = FakeContextEncoder
    read: list[list[int]]
    owned: list[int]

    def encode(self, plans):
        for plan in plans:
            self.read += [window.token_ids.tolist() for window in plan.windows]
            self.owned.append(len(plan.chunk_indices))
        return super().encode(plans)


@pytest.fixture
def noted(tmp_path):
    """A worker type without notes yet, and the files that its checkpoint needs."""
    folder = tmp_path / "home" / "models" / CONTEXT.name
    folder.mkdir(parents=True)
    for name in CONTEXT.sha256:
        (folder / name).touch()
    return type("Noted", (NotingWorker,), {"read": [], "owned": []})


SENTENCES = {
    "birds.txt": ["Cormorants nest on the breakwater.", "They dry wings in the wind."],
    "beds.txt": ["Leeks grow in deep sand.", "They dry quickly without mulch."],
}


@pytest.fixture
def passages(tmp_path) -> Path:
    """Documents of two judged passages, given last one first."""
    collection = tmp_path / "collection"
    (collection / "docs").mkdir(parents=True)
    rows = []
    for name, (first, second) in SENTENCES.items():
        (collection / "docs" / name).write_text(f"{first} {second}")
        second_start = len(first) + 1
        rows.append((f"{name} 2", name, second_start, second_start + len(second)))
        rows.append((f"{name} 1", name, 0, len(first)))
    (collection / "passages.jsonl").write_text(
        "".join(
            json.dumps({"id": id_, "doc": doc, "start": start, "end": end}) + "\n"
            for id_, doc, start, end in rows
        )
    )
    (collection / "queries.jsonl").write_text(
        '{"id": "1", "text": "do cormorants nest and dry"}\n'
    )
    (collection / "qrels_passages.tsv").write_text(
        "1\tbirds.txt 1\t2\n1\tbirds.txt 2\t1\n"
    )
    return collection


def evaluated(collection: Path, noted: type[NotingWorker], **options) -> dict:
    settings = Settings(home=collection.parent / "home", model=CONTEXT.name)
    evaluation = Evaluation(collection, settings, Options(**options), worker=noted)
    for _ in evaluation:
        pass
    return evaluation.result


@pytest.mark.parametrize("late_chunking", [None, True])
def test_given_passages_are_read_together_in_order(passages, noted, late_chunking):
    result = evaluated(passages, noted, late_chunking=late_chunking)
    tokenizer = WordTokenizer()
    for first, second in SENTENCES.values():
        one, two = (ids.tolist() for ids in tokenizer.ids([first, second]))
        assert [*one, CONTEXT.window_rule.separator_id, *two] in noted.read
    assert noted.owned == [2, 2]
    assert result["late_chunking"]


def test_late_chunking_can_be_left_out_of_the_same_checkpoint(passages, noted):
    result = evaluated(passages, noted, late_chunking=False)
    assert noted.owned == [1] * 4
    assert not result["late_chunking"]
    assert result["profile"]["dense"] == CONTEXT.name


def test_what_late_chunking_is_worth_shows_in_the_figures(passages, noted):
    together, alone = (
        evaluated(passages, noted, late_chunking=late)["metrics"]["dense"]["ndcg@10"]
        for late in (True, False)
    )
    assert together == 1 > alone


def test_our_own_chunks_are_read_together_too(passages, noted):
    (passages / "qrels.tsv").write_text("1\tbirds.txt\t1\n")
    long = "\n\n".join(f"# Part {n}\n\n" + f"word{n} " * 170 for n in range(3))
    (passages / "docs" / "long.md").write_text(long)
    evaluated(passages, noted, units="own")
    assert sorted(noted.owned) == [1, 1, 3]


@pytest.mark.parametrize(
    ("model", "said"), [(STARTER.name, STARTER.title), ("none", "none is in use")]
)
def test_late_chunking_is_refused_where_it_was_not_trained(passages, model, said):
    settings = Settings(home=passages.parent / "home", model=model)
    with pytest.raises(ConfigError, match=said) as caught:
        Evaluation(passages, settings, Options(late_chunking=True))
    assert CONTEXT.name in str(caught.value)
    Evaluation(passages, settings, Options(late_chunking=False))


@pytest.mark.parametrize(
    ("flags", "windows"), [([], 2), (["--late-chunking", "off"], 4)]
)
def test_the_command_takes_it_as_a_flag(passages, noted, flags, windows):
    home = ["--home", str(passages.parent / "home")]
    command = [*home, "eval", str(passages), "--json", *flags]
    result = CliRunner().invoke(app, command, obj=Invocation(worker=noted))
    assert json.loads(result.stdout)["late_chunking"] is (windows == 2)
    assert len(noted.owned) == windows


def test_passages_that_are_given_have_the_title_of_their_document(tmp_path: Path):
    texts = {"a.md": "# Trees\n\nOak.", "b.md": "No title.\n# Later"}
    with Store.open(tmp_path / "index.db") as store:
        store.add_folder(bytes(tmp_path), 1, 1)
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
            write_given(store, tmp_path / name, name, text, [Span(0, len(text))])
        titles = [store.document_meta(i).title for i in (1, 2)]
    assert titles == ["Trees", None]
