"""The CUDA kernel against the reference: by Triton's interpreter where no GPU is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from vectors import random_docs, random_query

from pplx_local import reference
from pplx_local.backend.packed import largest

torch = pytest.importorskip("torch")
pytest.importorskip("triton", reason="Triton is not installed here")

from pplx_local_torch import fused, maxsim  # noqa: E402 - after the checks
from pplx_local_torch.maxsim import ResidentTokens  # noqa: E402

CPU = torch.device("cpu")
HERE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

COMPILE = """
import importlib.util, json, sys
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

path, capability, dim, in_bits = sys.argv[1], *map(int, sys.argv[2:])
spec = importlib.util.spec_from_file_location("kernels", path)
kernels = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kernels)
types = {"query": "*i8", "codes": "*u8" if in_bits else "*i8", "matches": "*i32"}
types |= {name: "*i64" for name in ("starts", "ends")}
types |= {name: "*fp32" for name in ("query_scales", "query_sums", "scales", "values")}
n_pointers = len(types)
types |= {name: "i32" for name in ("n_chunks", "n_query", "n_each")}
fixed = {"dim": dim, "in_bits": bool(in_bits), "has_scales": not in_bits}
fixed |= {"want_matches": True, "is_held": dim <= 128, "T": 128, "Q": 32}
fixed["D"] = 16 if in_bits else 128
names = kernels.maxsim_kernel.arg_names
order = {name: types.get(name, "fp32") for name in names if name not in fixed}
order |= dict.fromkeys(fixed, "constexpr")
aligned = {(place,): [["tt.divisibility", 16]] for place in range(n_pointers)}
source = ASTSource(kernels.maxsim_kernel, order, fixed, aligned)
compiled = compile(source, target=GPUTarget("cuda", capability, 32))
print(json.dumps({"ptx": compiled.asm["ptx"], "binary": len(compiled.asm["cubin"])}))
"""


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch) -> None:
    """The interpreter computes all of a tile, however few its rows are."""
    if HERE.type == "cpu":
        monkeypatch.setattr(fused, "TILINGS", [fused.Tiling(32)] * 2)


@pytest.mark.parametrize("encoding", ["int8", "bits"])
@pytest.mark.parametrize(
    ("dim", "lengths", "n_query"),
    [
        (32, [3, 1, 7], 5),
        (104, [70, 0, 5, 0], 17),
        (128, [0, 130], 32),
        (384, [9, 64], 1),
        (264, [2, 1], 70),
        (100, [3, 0, 20], 65),
        (4096, [1], 2),
    ],
)
def test_the_kernel_is_the_reference(encoding, dim, lengths, n_query) -> None:
    rng = np.random.default_rng(dim)
    docs = random_docs(rng, lengths, dim, encoding)
    query = random_query(rng, n_query, dim)
    expected = reference.maxsim(query, docs, want_matches=True)
    resident = ResidentTokens(docs, HERE, fused=True)
    got = resident.score_all(query, want_matches=True)
    assert got.values.dtype == np.float32
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-5)
    np.testing.assert_array_equal(got.matches, expected.matches)
    assert resident.score_all(query).matches is None


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_the_order_is_that_of_the_reference(encoding) -> None:
    rng = np.random.default_rng(11)
    docs = random_docs(rng, rng.integers(0, 9, 40).tolist(), 64, encoding)
    query = random_query(rng, 12, 64)
    expected = largest(reference.maxsim(query, docs).values, 40)
    got = ResidentTokens(docs, HERE, fused=True).best(query, 40)
    assert got.chunks.tolist() == expected.chunks.tolist()


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_no_result_depends_on_how_the_work_is_cut(encoding, monkeypatch) -> None:
    rng = np.random.default_rng(1)
    lengths = [5, 0, 66, 3, 1, 0, 20]
    docs, query = random_docs(rng, lengths, 64, encoding), random_query(rng, 20, 64)
    resident = ResidentTokens(docs, HERE, fused=True)
    whole = resident.score_all(query, want_matches=True)
    monkeypatch.setattr(fused, "TILINGS", [fused.Tiling(16)] * 2)
    monkeypatch.setattr(fused, "_MOST_QUERY", 16)
    monkeypatch.setattr(fused, "_PROGRAMS", 2)
    cut = resident.score_all(query, want_matches=True)
    np.testing.assert_array_equal(cut.values, whole.values)
    np.testing.assert_array_equal(cut.matches, whole.matches)


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_some_chunks_and_the_best_of_all(encoding) -> None:
    rng = np.random.default_rng(7)
    docs = random_docs(rng, [4, 0, 9, 2, 40], 64, encoding)
    query = random_query(rng, 6, 64)
    values = reference.maxsim(query, docs).values
    resident = ResidentTokens(docs, HERE, fused=True)
    for chunks in ([4, 2], [1], [], [3, 3]):
        got = resident.maxsim(query, chunks).values
        np.testing.assert_allclose(got, values[chunks], rtol=1e-5)
    for k in (2, 9):
        best = resident.best(query, k)
        assert best.chunks.tolist() == np.argsort(-values)[: min(k, 4)].tolist()
        np.testing.assert_allclose(best.values, values[best.chunks], rtol=1e-5)


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_opposites_keep_a_score_below_zero(encoding) -> None:
    """What lies beyond a chunk's end, or a query's, beats nothing."""
    query = random_query(np.random.default_rng(0), 1, 32)
    opposite = -np.repeat(query.codes, 3, axis=0).astype(np.float32)
    starts, positions = np.array([0, 3, 3], np.int32), np.zeros(3, np.int32)
    docs = reference.quantize_tokens(opposite, starts, positions, encoding)
    values = ResidentTokens(docs, HERE, fused=True).score_all(query).values
    assert -1.01 <= values[0] < -0.5
    assert values[1] == -np.inf


def test_equal_rows_match_at_the_first() -> None:
    query = random_query(np.random.default_rng(3), 4, 32)
    rows = np.repeat(query.codes, 20, axis=0).astype(np.float32)  # (80, D)
    starts, positions = np.array([0, 80], np.int32), np.arange(80, dtype=np.int32)
    docs = reference.quantize_tokens(rows, starts, positions, "int8")
    got = ResidentTokens(docs, HERE, fused=True).score_all(query, want_matches=True)
    assert got.matches.tolist() == [[0, 20, 40, 60]]


@pytest.mark.parametrize("in_bits", [False, True])
def test_a_query_in_bfloat16(in_bits) -> None:
    """Against bits, and against rows that were never quantised."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(12, 64, generator=generator).bfloat16()
    codes = torch.randn(5, 64, generator=generator).bfloat16()
    sums = codes.float().sum(dim=1)
    packed, asked, expected = rows, codes, rows.float() @ codes.float().T  # (T, Q)
    if in_bits:
        packed = torch.from_numpy(np.packbits((rows >= 0).numpy(), axis=1))
        asked = torch.from_numpy(fused.by_steps(codes.float().numpy())).bfloat16()
        expected = ((rows >= 0) * 2.0 - 1) @ codes.float().T * 64**-0.5
    starts, ends = torch.tensor([0, 7, 7]), torch.tensor([7, 7, 12])
    query = fused.Question(*(x.to(HERE) for x in (asked, torch.ones(5), sums)), 64)
    docs = fused.Packed(packed.to(HERE), None, starts.to(HERE), ends.to(HERE))
    values, _ = fused.fused_maxsim(query, docs)
    sums = [expected[:7].amax(0).sum(), -torch.inf, expected[7:].amax(0).sum()]
    torch.testing.assert_close(values.cpu(), torch.tensor(sums), rtol=1e-3, atol=1e-3)


def test_a_query_without_rows_scores_nothing() -> None:
    rng = np.random.default_rng(0)
    docs = random_docs(rng, [2, 0], 32, "bits")
    values = ResidentTokens(docs, HERE, fused=True).score_all(random_query(rng, 0, 32))
    assert values.values.tolist() == [0, -np.inf]


def test_a_cpu_is_left_to_the_plain_path() -> None:
    assert not fused.is_usable(CPU, "bits", 128)


def test_a_kernel_that_computes_wrong_is_not_trusted(monkeypatch) -> None:
    for encoding, dim in (("int8", 128), ("bits", 128), ("bits", 32)):
        assert fused._agrees(HERE, encoding, dim)
    monkeypatch.setattr(fused, "by_steps", lambda query: query)
    assert not fused._agrees(HERE, "bits", 128)


def test_a_kernel_that_cannot_be_launched_leaves_the_plain_path(monkeypatch) -> None:
    from triton.runtime.errors import OutOfResources

    tried = []

    def refuse(*arguments, **options):
        tried.append(arguments)
        raise OutOfResources(120_000, 101_376, "shared memory")

    rng = np.random.default_rng(2)
    docs, query = random_docs(rng, [3, 0, 5], 64, "bits"), random_query(rng, 4, 64)
    expected = reference.maxsim(query, docs, want_matches=True)
    resident = ResidentTokens(docs, HERE, fused=True)
    monkeypatch.setattr(maxsim, "fused_maxsim", refuse)
    got = resident.score_all(query, want_matches=True)
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-5)
    np.testing.assert_array_equal(got.matches, expected.matches)
    assert len(resident.best(query, 5).chunks) == 2
    assert len(tried) == 1, "it is not tried again"
    assert not fused._agrees(HERE, "bits", 64), "nor trusted elsewhere"


def test_of_equals_the_first_are_the_best() -> None:
    """Thousands may be: the same footer in every file."""
    values = torch.full((5_000,), -0.0, device=HERE)
    values[[4_000, 17]] = torch.tensor([2.5, 0.0], device=HERE)
    values[[3, 4_999]] = torch.tensor([-1.0, -torch.inf], device=HERE)
    values[1_000] = -2.0
    got = maxsim._largest(values, 5_000).tolist()
    assert got == np.argsort(-values.cpu().numpy(), kind="stable").tolist()
    assert maxsim._largest(values, 3).tolist() == [4_000, 0, 1]


@pytest.mark.parametrize(("capability", "product"), [(80, "mma.sync"), (90, "wgmma")])
def test_it_compiles_to_the_matrix_units(capability, product, tmp_path) -> None:
    """Without a GPU, for two: what the interpreter reads otherwise is assembled too."""
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    environment.pop("TRITON_INTERPRET", None)
    path = str(Path(fused.__file__).with_name("kernels.py"))
    arguments = [sys.executable, "-c", COMPILE, path, str(capability), "128", "1"]
    done = subprocess.run(
        arguments, env=environment, capture_output=True, check=True, text=True
    )
    made = json.loads(done.stdout)
    assert product in made["ptx"]
    assert made["ptx"].count("0x01010101") == 32, "four bits at once, of 128 by 128"
    assert made["binary"] > 0
