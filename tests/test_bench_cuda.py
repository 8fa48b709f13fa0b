"""`bench cuda`: what it makes of timings, and its ways on a CPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeWorker, WordTokenizer, fake_checkpoint
from targets import HIGHEST_ID, random_ids, tiny
from tiny import write_bert
from typer.testing import CliRunner

from pplx_local import models
from pplx_local.backend.timing import Timing, Workload
from pplx_local.bench import cuda, encode
from pplx_local.bench.cuda import _fitting, measure_cuda, rows_of
from pplx_local.cli.app import app
from pplx_local.config import Settings
from pplx_local.encoding import Session
from pplx_local.errors import BackendUnavailable

torch = pytest.importorskip("torch")

from pplx_local_torch import TorchBackend  # noqa: E402 - after the check

__all__ = ["tiny"]

SMALL = Workload(n_chunks=3, n_tokens=5, n_query=2, dim=32)


def test_shares_are_of_what_was_measured() -> None:
    timings = [
        Timing("copy", 2.0, 4_000, 0, "copy"),
        Timing("product in int8", 1.0, 10, 1_000, "int8"),
        Timing("int8, fused", 4.0, 4_000, 3_000, "int8"),
        Timing("int8, other", 8.0, 4_000, 3_000, "int8", "int8, fused"),
        Timing("int8, missing: not installed", None, 0, 3_000, "int8", "int8, fused"),
    ]
    rows = {row.what: row for row in rows_of(timings)}
    assert rows["int8, fused: of the copies' rate"].value == pytest.approx(50)
    assert rows["int8, fused: of the products' rate"].value == pytest.approx(75)
    assert rows["int8, fused: of the roofline"].value == pytest.approx(75)
    other = rows["int8, other"]
    assert (other.value, other.against, other.ratio) == (8.0, "int8, fused", 0.5)
    missing = rows["int8, missing: not installed"]
    assert missing.value is missing.ratio is missing.against is None
    assert "int8, other: bytes" not in rows


def test_no_more_is_made_up_than_fits() -> None:
    assert _fitting(Workload(), 10**12).n_chunks == 1_000_000
    assert _fitting(Workload(), 1 << 30).n_chunks == int(0.4 * (1 << 30) / 32_768)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_what_to_do(tmp_path) -> None:
    run = CliRunner().invoke(app, ["--home", str(tmp_path), "bench", "cuda"])
    assert run.exit_code == 2
    assert "no NVIDIA GPU" in run.stderr
    assert "pip install torch" in run.stderr


def test_every_kernel_is_compared_and_timed(tmp_path, monkeypatch) -> None:
    pytest.importorskip("triton", reason="Triton is not installed here")
    from pplx_local_torch import fused, speed

    if not torch.cuda.is_available():  # interpreted: all of a tile is computed
        monkeypatch.setattr(fused, "TILINGS", (fused.Tiling(16),) * 2)
        monkeypatch.setattr(speed, "TILINGS", (fused.Tiling(16),))
    settings = Settings(home=tmp_path, model="none")
    result = measure_cuda(settings, None, SMALL, device="cpu")
    rows = {row.what: row for row in result.rows}
    for encoding in ("int8", "bits", "bfloat16"):
        assert rows[f"{encoding}, fused"].value > 0, "and its scores are right"
        assert rows[f"{encoding}, fused: of the roofline"].value > 0
        assert rows[f"{encoding}, fused, with matches"].against
    plain = rows["bfloat16, plain torch"]
    assert plain.against == "bfloat16, fused"
    assert any("not installed" in what or "PyLate" in what for what in rows)
    assert rows["the encoder: there is no model to measure"].value is None


class FewWords(WordTokenizer):
    """Knows the ids of a tiny vocabulary alone."""

    def ids(self, texts):
        return [ids % HIGHEST_ID for ids in super().ids(texts)]


class TorchWorker(FakeWorker):
    """In this process, but with torch and a network in earnest."""

    def __init__(self, checkpoint, model_dir, settings) -> None:
        super().__init__(checkpoint)
        backend = TorchBackend()
        recipe = models.recipe_of(checkpoint, checkpoint.roles)
        self.encoder = backend.load(model_dir, recipe, device="cpu")
        self._session = Session(
            FewWords(), checkpoint.window_rule, backend, self.encoder
        )


@pytest.fixture
def small(tmp_path, monkeypatch) -> Settings:
    """Settings with a tiny network that makes both kinds of vectors."""
    checkpoint = fake_checkpoint(name="small", token_pooling=2)
    monkeypatch.setitem(models.CATALOGUE, checkpoint.name, checkpoint)
    folder = tmp_path / "home" / "models" / checkpoint.name
    folder.mkdir(parents=True)
    write_bert(folder)
    for name in checkpoint.sha256:
        (folder / name).touch()
    return Settings(home=tmp_path / "home", model=checkpoint.name)


def test_the_whole_of_it_runs_where_nothing_is_fast(
    small, tmp_path, monkeypatch
) -> None:
    """Every line, so that who has a GPU is the first to see figures, not a defect."""
    pytest.importorskip("triton", reason="Triton is not installed here")
    from pplx_local_torch import fused, speed

    if not torch.cuda.is_available():
        monkeypatch.setattr(fused, "TILINGS", (fused.Tiling(16),) * 2)
        monkeypatch.setattr(speed, "TILINGS", (fused.Tiling(16),))
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "one.txt").write_text("A lighthouse keeper counts the ships at dawn. " * 9)
    result = measure_cuda(small, texts, SMALL, worker=TorchWorker, device="cpu")
    rows = {row.what: row for row in result.rows}
    assert len(rows) == len(result.rows), "each by its own name"
    measured = {what for what, row in rows.items() if row.value is not None}
    columns = ("bytes", "operations", "of the copies' rate", "of the roofline")
    kernels = [f"{one}, fused" for one in ("int8", "bits", "bfloat16")]
    for kernel in [*kernels, "int8, 3 of 256 tokens, end to end"]:
        assert {kernel, *(f"{kernel}: {column}" for column in columns)} <= measured
    for kernel in kernels[:2]:
        how = f"{kernel}: times the speed of the best unfused in bfloat16"
        assert how in measured
    encoder = "small, unpadded"
    assert rows[encoder].against == "small, transformers with SDPA, padded"
    assert rows[encoder].ratio > 0
    assert f"{encoder}: of the products' rate" in measured
    assert "query encoded, and all scored, p95, 3 chunks" in measured
    assert "pplx-local, dense and token vectors" in measured
    assert "cpu, torch" in result.machine
    json.dumps(result.as_json())


def test_others_may_fail_and_ours_be_wrong_and_all_is_told(
    tmp_path, monkeypatch
) -> None:
    pytest.importorskip("triton", reason="Triton is not installed here")
    from pplx_local_torch import speed

    class TheirError(Exception):
        pass

    def fail(*arguments):
        raise TheirError

    monkeypatch.setattr(speed, "TILINGS", ())
    monkeypatch.setattr(speed, "_is_right", lambda *arguments: False)
    monkeypatch.setattr(speed, "_installed", lambda: {"PyLate": fail})
    work = SMALL._replace(n_chunks=1)
    result = measure_cuda(
        Settings(home=tmp_path, model="none"), None, work, device="cpu"
    )
    rows = {row.what: row for row in result.rows}
    assert rows["bfloat16, PyLate: TheirError"].value is None
    assert rows["bfloat16, fused: other scores"].value > 0
    plain = rows["bfloat16, plain torch"]
    assert plain.value > 0
    assert plain.against is None, "what computes something else is no measure"


def test_the_other_side_computes_in_bfloat16_too(monkeypatch) -> None:
    rival = pytest.importorskip("sentence_transformers")
    model_dir = models.find(models.STARTER, Path("nowhere"))
    if model_dir is None:
        pytest.skip("the starter is not installed here")
    seen = []

    class Noting(rival.SentenceTransformer):
        def encode(self, *arguments, **options):
            attention = self[0].auto_model.config._attn_implementation
            seen.append((self.dtype, attention))
            return super().encode(*arguments, **options)

    monkeypatch.setattr(rival, "SentenceTransformer", Noting)
    both = encode._Rival(model_dir, "cpu", "bfloat16")
    theirs = encode._encode_by_rival(["A lighthouse."], ["lighthouse", "a"], both)
    assert theirs.seconds > 0
    assert len(theirs.query_ms) == 2
    assert set(seen) == {(torch.bfloat16, "sdpa")}
    assert both.name == "sentence-transformers, bfloat16 with SDPA"


def test_queries_are_timed_from_words_to_the_best_of_all(monkeypatch) -> None:
    monkeypatch.setattr(cuda, "_KEPT_AT_ONCE", 4)
    monkeypatch.setattr(cuda, "_QUERIES", 3)
    worker, asked = FakeWorker(), []
    best = worker.best

    def noted(*arguments):
        asked.append(best(*arguments))
        return asked[-1]

    worker.best = noted
    work = Workload(n_chunks=10, n_tokens=3)
    rows = list(cuda.exhaustive_rows(worker, worker.checkpoint, work))
    assert [row.what for row in rows] == [
        f"query encoded, and all scored, p{p}, 10 chunks" for p in (50, 95)
    ]
    assert all(row.value > 0 for row in rows)
    assert all(len(found.chunks) == 10 for found in asked)


def test_what_does_not_fit_is_said_and_the_rest_goes_on(monkeypatch) -> None:
    def refuse(*arguments):
        raise BackendUnavailable("There is no room on cuda:0.")

    worker = FakeWorker()
    monkeypatch.setattr(worker, "keep", refuse)
    [row] = cuda.exhaustive_rows(worker, worker.checkpoint, SMALL)
    assert row.value is None
    assert row.what == "3 chunks are not searched: There is no room on cuda:0."


def test_unpadded_states_are_those_of_padded_batches(tiny) -> None:
    """Transformers with SDPA, on batches with padding, gives the same to 1e-3."""
    from pplx_local_torch.attention import Packing
    from pplx_local_torch.model import load_model
    from pplx_local_torch.stock import padded, run_padded, seconds_of, stock_body

    cpu, lengths = torch.device("cpu"), [9, 4, 4, 1]
    rng = np.random.default_rng(0)
    ids = [torch.from_numpy(random_ids(rng, n)).long() for n in lengths]
    network, _ = load_model(tiny, cpu, torch.float32)
    positions = torch.cat([torch.arange(n) for n in lengths])
    with torch.inference_mode():
        packed = network(torch.cat(ids), positions, Packing.of(lengths, cpu))
        _, mask = padded(lengths, cpu)
        filled = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        body = stock_body(tiny, cpu, torch.float32)
        states = run_padded(body, filled, mask)
    torch.testing.assert_close(packed, states[mask.bool()], rtol=1e-3, atol=1e-3)
    assert seconds_of(tiny, cpu, torch.float32, lengths, 10) > 0
