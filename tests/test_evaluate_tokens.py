"""Ways of keeping token vectors side by side, and one role without the other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeWorker, fake_checkpoint
from typer.testing import CliRunner

from pplx_local import reference
from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation
from pplx_local.config import Settings
from pplx_local.errors import ConfigError, PplxLocalError
from pplx_local.evaluate import Evaluation, Options
from pplx_local.evaluate.tokens import converted, token_rule
from pplx_local.models import Profile
from pplx_local.records import TokenVectors
from pplx_local.store import Store
from pplx_local.window import WindowRule

TEXTS = {
    "car.txt": "The timing belt of the car is changed after five years.\n",
    "bread.txt": "Sourdough bread rests for a night before it is baked.\n",
    "herring.txt": "Herring swim in the harbour and feed the porpoises.\n",
}
QUERIES = {"1": "timing belt", "2": "sourdough bread", "3": "herring in the harbour"}


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake = fake_checkpoint()
    asking = "pplx_local.evaluate.evaluation"
    monkeypatch.setattr(f"{asking}.find_or_refuse", lambda *_: None)
    monkeypatch.setattr(f"{asking}.profile_of", lambda _: Profile(fake, fake))
    monkeypatch.setattr("pplx_local.index.serving.find", lambda *_: tmp_path)
    folder = tmp_path / "collection"
    (folder / "docs").mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / "docs" / name).write_text(text)
    lines = (json.dumps({"id": one, "text": text}) for one, text in QUERIES.items())
    (folder / "queries.jsonl").write_text("\n".join(lines))
    wanted = zip(QUERIES, TEXTS, strict=True)
    (folder / "qrels.tsv").write_text("".join(f"{q}\t{d}\t1\n" for q, d in wanted))
    return folder


def run(collection: Path, options: Options) -> dict:
    settings = Settings(home=collection.parent / "home")
    evaluation = Evaluation(collection, settings, options, worker=FakeWorker)
    for _ in evaluation:
        pass
    return evaluation.result


def test_each_way_says_what_it_takes_and_what_it_loses(collection: Path) -> None:
    result = run(collection, Options(tokens=["bits", "bits-pooled2", "int8"]))
    rows = {row["tokens"]: row for row in result["tokens"]}
    dim, position, scale = 32, 2, 4
    assert rows["one int8 each"]["bytes_per_token"] == dim + position + scale
    assert rows["int8"]["bytes_per_token"] == dim + position + scale
    assert rows["bits"]["bytes_per_token"] == dim / 8 + position
    pooled = rows["bits-pooled2"]["bytes_per_token"]
    assert (dim / 8 + position) / 2 <= pooled < (dim / 8 + position) * 0.6
    assert rows["int8"]["hybrid_loss"] == rows["int8"]["late_loss"] == 0
    assert all(row["late"] > 0.9 for row in result["tokens"])


def test_an_index_that_is_kept_is_as_it_was(collection: Path, tmp_path: Path) -> None:
    options = Options(tokens=["bits-pooled2"], keep=tmp_path / "kept")
    first, second = run(collection, options), run(collection, options)
    assert first["tokens"] == second["tokens"]
    with Store.open(tmp_path / "kept" / "index.db", readonly=True) as store:
        assert sorted(space.spec.role for space in store.spaces()) == ["dense", "late"]
    with pytest.raises(ConfigError, match="another evaluation"):
        run(collection, Options(keep=tmp_path / "kept"))


def test_a_kept_index_of_other_rules_is_no_bug(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(tokens=["bits"], keep=tmp_path / "kept")
    run(collection, options)
    other = fake_checkpoint(window_rule=WindowRule(kind="single", limit=128))
    monkeypatch.setattr(
        "pplx_local.evaluate.evaluation.profile_of", lambda _: Profile(other, other)
    )
    with pytest.raises(PplxLocalError, match=r"late leg cannot run: .*older version"):
        run(collection, options)


@pytest.mark.parametrize("name", ["", "bit", "bits-pooled1", "bits-pooled", "float"])
def test_an_unknown_way_is_refused_before_anything_is_read(
    collection: Path, name: str
) -> None:
    with pytest.raises(ConfigError, match="no way of keeping token vectors"):
        Evaluation(collection, Settings(home=collection), Options(tokens=[name]))


@pytest.mark.parametrize(("role", "other"), [("late", "dense"), ("dense", "late")])
def test_a_role_alone_is_measured_without_the_other(
    collection: Path, role: str, other: str
) -> None:
    result = run(collection, Options(alone=role, exhaustive=True))
    assert result["profile"] == {role: "fake", other: None}
    assert other not in result["metrics"]
    assert result["metrics"][role]["ndcg@10"] > 0.8
    assert result["top_10_found"] == {role: {"share": 1.0, "queries": 1.0}}


def test_token_vectors_are_converted_chunk_by_chunk() -> None:
    rng = np.random.default_rng(0)
    cu_seqlens = np.array([0, 5, 5, 6, 12], np.int32)
    x = rng.standard_normal((12, 64)).astype(np.float32)
    positions = np.array([*range(5), 0, *range(6)], np.int32)
    whole = reference.quantize_tokens(x, cu_seqlens, positions, "int8")
    bits = converted(whole, token_rule("bits"))
    direct = reference.quantize_tokens(x, cu_seqlens, positions, "bits")
    flipped = np.unpackbits(bits.codes ^ direct.codes)
    assert flipped.mean() < 0.02
    pooled: TokenVectors = converted(whole, token_rule("int8-pooled2"))
    assert pooled.cu_seqlens.tolist() == [0, 3, 3, 4, 7]
    assert pooled.positions[3] == 0
    assert pooled.positions.max() <= 5


def test_the_command_prints_a_table(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Invocation, "workers", lambda _: FakeWorker)
    home = ["--home", str(collection.parent / "home")]
    arguments = [*home, "eval", str(collection), "--tokens", "bits, int8-pooled2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("tokens"))
    assert lines[first].split() == [
        "tokens", "bytes/token", "/chunk", "late", "loss", "hybrid", "loss"
    ]  # fmt: skip
    ways = [line.split("  ")[0] for line in lines[first + 1 : first + 4]]
    assert ways == ["one int8 each", "bits", "int8-pooled2"]
