"""The figures of an evaluation."""

from __future__ import annotations

import math

import pytest

from pplx_local.config import Settings
from pplx_local.errors import ConfigError
from pplx_local.evaluate import Evaluation
from pplx_local.evaluate.collection import load_collection
from pplx_local.evaluate.metrics import judge


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
    evaluation = Evaluation(tmp_path, settings, ablate=True)
    for _ in evaluation:
        pass
    assert set(evaluation.result["metrics"]) == {"lexical", "hybrid"}
    assert evaluation.result["metrics"]["hybrid"]["ndcg@10"] == 1
