"""What is special to MLX: its memory, its quantised weights, packed codes, long windows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from targets import INT8, broad, cosines, random_ids, whole, window_of
from tiny import write_bert, write_qwen3

from pplx_local import models, reference, window
from pplx_local.errors import BackendUnavailable
from pplx_local.records import EncodingRecipe, TokenVectors, TokenWindow

mx = pytest.importorskip("mlx.core")

from pplx_local_mlx import MlxBackend, attention, maxsim, quantize  # noqa: E402

__all__ = ["broad"]

BACKEND = MlxBackend()
DENSE = EncodingRecipe(True, False, "tanh", "sign")


@pytest.fixture(autouse=True)
def on_cpu():
    """Checked where every machine has it; the shared tests run on Metal too."""
    with mx.stream(mx.cpu):
        yield


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen3(tmp_path_factory.mktemp("qwen3"), "dense")


@pytest.fixture
def late(tmp_path: Path) -> Path:
    return write_qwen3(tmp_path / "late", "late")


def _windows(seed: int, lengths: list[int]) -> list[TokenWindow]:
    rng = np.random.default_rng(seed)
    return [whole(random_ids(rng, n)) for n in lengths]


# --- memory ------------------------------------------------------------------


@pytest.mark.slow
def test_a_thousand_batches_leave_the_memory_as_it_was(tmp_path) -> None:
    encoder = BACKEND.load(write_bert(tmp_path), INT8, device="cpu")
    process = psutil.Process()
    calls = np.random.default_rng(0).integers(1, 100, (10, 3)).tolist()
    held, resident = [], []
    for number in range(1000):
        encoder.encode(_windows(0, calls[number % 10]))
        held.append(mx.get_active_memory() + mx.get_cache_memory())
        resident.append(process.memory_info().rss)
    # What the cache holds differs by a few bytes with the order in which threads
    # hand their buffers back; a leak of one row per batch would be far above 1 %.
    assert max(held[-100:]) <= 1.01 * max(held[100:200])
    assert max(resident[-100:]) - max(resident[200:300]) < 4e6


_MEASURE_LOADING = """
import json, resource, sys
from pathlib import Path
import mlx.core as mx
import numpy as np
from pplx_local.records import EncodingRecipe, Span, TokenWindow
from pplx_local_mlx import MlxBackend

folder, dtype = Path(sys.argv[1]), sys.argv[2]
def resident():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
mx.eval(mx.ones(1))
before = resident()
recipe = EncodingRecipe(True, False)
encoder = MlxBackend().load(folder, recipe, device="cpu", dtype=dtype)
loading, weights = mx.get_peak_memory(), mx.get_active_memory()
ids = np.arange(32, dtype=np.int32)
encoder.encode([TokenWindow(ids, (Span(0, 32),), ids < 0, ids)])
print(json.dumps({
    "weights": weights, "loading": loading, "all": mx.get_peak_memory(),
    "resident": resident() - before,
}))
"""


def _measure_loading(folder: Path, dtype: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE_LOADING, str(folder), dtype],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_loading_never_holds_a_second_copy(broad) -> None:
    n_elements = (broad / "model.safetensors").stat().st_size // 4
    figures = _measure_loading(broad, "bfloat16")
    assert figures["weights"] == pytest.approx(2 * n_elements, rel=0.01)
    assert figures["all"] <= 1.15 * figures["weights"]
    assert figures["resident"] <= 1.15 * figures["weights"] + 20e6


@pytest.mark.parametrize("dtype", ["8bit", "4bit"])
def test_quantising_never_holds_the_weights_it_starts_from(broad, dtype) -> None:
    """Both when they are made and when they are read again."""
    stored = (broad / "model.safetensors").stat().st_size
    (broad / f"mlx-{dtype}.safetensors").unlink(missing_ok=True)
    made, read = (_measure_loading(broad, dtype) for _ in range(2))
    assert made["weights"] == read["weights"] < 0.5 * stored
    for figures in (made, read):
        assert figures["all"] <= 1.15 * figures["weights"]
        assert figures["resident"] <= 1.15 * figures["weights"] + 20e6


def test_a_long_window_never_holds_all_its_scores(tmp_path) -> None:
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "hidden_size": 16}
    shape = {"num_hidden_layers": 1, "layer_types": ["full_attention"], "head_dim": 16}
    folder = write_qwen3(tmp_path, "dense", **heads, **shape)
    encoder = BACKEND.load(folder, DENSE, device="cpu")
    ids = random_ids(np.random.default_rng(0), 8192)
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    encoder.encode([window_of(ids, (0, 4096), (4096, 8192))])
    scores = 2 * 8192 * 8192 * 4
    assert mx.get_peak_memory() - before < scores / 4


def test_attention_in_blocks_is_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    q, k, v = (
        mx.array(rng.standard_normal((2, heads, 70, 8)).astype("f4"))
        for heads in (4, 2, 2)
    )
    mask = mx.array(np.arange(70) < np.array([[70], [41]]))[:, None, None, :]
    expected = mx.fast.scaled_dot_product_attention(q, k, v, scale=8**-0.5, mask=mask)
    monkeypatch.setitem(attention._SCORES_AT_ONCE, mx.cpu, 2 * 4 * 70 * 9)
    got = attention.attend(q, k, v, mask)
    assert np.allclose(np.array(got), np.array(expected), atol=1e-6)


def test_two_encoders_do_not_disturb_each_other(tiny) -> None:
    windows = _windows(1, [5, 40, 40, 100])
    precisions = ("float32", "bfloat16", "8bit")
    alone = [
        BACKEND.load(tiny, INT8, device="cpu", dtype=dtype).encode(windows)
        for dtype in precisions
    ]
    encoders = [
        BACKEND.load(tiny, INT8, device="cpu", dtype=dtype) for dtype in precisions
    ]
    for _ in range(2):
        for encoder, expected in zip(encoders, alone, strict=True):
            got = encoder.encode(windows)
            assert np.array_equal(got.dense.codes, expected.dense.codes)
            assert np.array_equal(got.tokens.codes, expected.tokens.codes)


# --- quantised weights -------------------------------------------------------


def _dense(folder: Path, dtype: str) -> NDArray[np.int8]:
    recipe = EncodingRecipe(True, False, "max_abs")
    encoder = BACKEND.load(folder, recipe, device="cpu", dtype=dtype)
    assert encoder.dtype == dtype
    return encoder.encode(_windows(2, [10, 60, 200])).dense.codes


@pytest.mark.parametrize(("dtype", "near"), [("8bit", 0.999), ("4bit", 0.9)])
def test_quantised_weights_give_nearly_the_same_vectors(tiny, dtype, near) -> None:
    assert cosines(_dense(tiny, dtype), _dense(tiny, "float32")).min() > near


def test_quantised_weights_are_made_once_and_kept(late) -> None:
    first = _dense(late, "8bit")
    kept = late / "mlx-8bit.safetensors"
    made = kept.stat().st_mtime_ns
    assert np.array_equal(_dense(late, "8bit"), first)
    assert kept.stat().st_mtime_ns == made
    assert [path for path in late.iterdir() if "mlx" in path.name] == [kept]


def test_embeddings_and_the_projection_are_never_quantised(late) -> None:
    _dense(late, "4bit")
    names = load_file(late / "mlx-4bit.safetensors")
    layers = {name.rsplit(".", 1)[0].split(".", 3)[-1] for name in names}
    attention = {f"self_attn.{one}_proj" for one in "qkvo"}
    assert layers == attention | {f"mlp.{one}_proj" for one in ("gate", "up", "down")}


def _of_other_weights(kept: Path) -> None:
    path = kept.with_name("model.safetensors")
    tensors = load_file(path)
    save_file({name: tensor * 0.5 for name, tensor in tensors.items()}, path)


def _cut_short(kept: Path) -> None:
    os.truncate(kept, kept.stat().st_size - 10)


def _empty(kept: Path) -> None:
    kept.write_bytes(b"")


def _of_other_layers(kept: Path) -> None:
    from safetensors import safe_open

    with safe_open(kept, framework="np") as file:
        metadata = file.metadata()
    tensors = load_file(kept)
    tensors.popitem()
    save_file(tensors, kept, metadata)


@pytest.mark.parametrize(
    "damage", [_of_other_weights, _cut_short, _empty, _of_other_layers]
)
def test_kept_weights_that_do_not_fit_are_made_anew(late, tmp_path, damage) -> None:
    _dense(late, "8bit")
    kept = late / "mlx-8bit.safetensors"
    damage(kept)
    got = _dense(late, "8bit")
    remade = load_file(kept)
    kept.unlink()
    assert np.array_equal(got, _dense(late, "8bit"))
    expected = load_file(kept)
    assert remade.keys() == expected.keys()
    assert all(np.array_equal(remade[name], expected[name]) for name in expected)


def test_a_folder_that_cannot_be_written_is_no_trouble(late) -> None:
    (late / ".mlx-8bit.safetensors").mkdir()  # in the way of the file
    got = _dense(late, "8bit")
    assert not (late / "mlx-8bit.safetensors").exists()
    (late / ".mlx-8bit.safetensors").rmdir()
    assert np.array_equal(got, _dense(late, "8bit"))


def test_the_best_precision_of_a_cpu_is_float32(tiny) -> None:
    assert BACKEND.load(tiny, DENSE, device="cpu").dtype == "float32"
    with pytest.raises(BackendUnavailable, match="bfloat16, float32, 8bit or 4bit"):
        BACKEND.load(tiny, DENSE, device="cpu", dtype="2bit")


@pytest.mark.parametrize(("dtype", "near"), [("8bit", 0.999), ("4bit", 0.85)])
def test_the_starter_with_quantised_weights(tmp_path, dtype, near) -> None:
    folder = models.find(models.STARTER)
    if folder is None:
        pytest.skip("the starter is not installed")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).symlink_to(folder / name)
    tokenizer = models.load_tokenizer(folder)
    plans = window.plan(TEXTS, tokenizer, models.STARTER.window_rule)
    recipe = models.recipe_of(models.STARTER, ("dense",))
    codes = [
        BACKEND.load(tmp_path, recipe, device="cpu", dtype=one)
        .encode([window for plan in plans for window in plan.windows])
        .dense.codes
        for one in ("float32", dtype)
    ]
    assert cosines(*codes).min() > near


TEXTS = [
    "The tenant shall give notice three months before the end of a quarter.",
    "Glaciers carve valleys into a U shape; rivers cut narrower ones.",
    "ok",
    "def main() -> None: print('hello, world')",
    "What motivates scientific discovery is curiosity about the world.",
    "Предложение, которого модель не знает.",
]


# --- MaxSim ------------------------------------------------------------------


def _tokens(codes: NDArray[np.int8], lengths: list[int]) -> TokenVectors:
    scales = np.full(len(codes), 1 / 127, dtype=np.float32)
    cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
    return TokenVectors(
        "int8", codes, scales, np.arange(len(codes), dtype=np.int32), cu_seqlens
    )


@pytest.mark.parametrize("dim", [8, 32, 40, 64, 128, 384, 1024])
def test_packed_products_are_exact(dim) -> None:
    rng = np.random.default_rng(dim)
    codes = rng.integers(-128, 128, (50, dim)).astype(np.int8)
    codes[0] = -128
    query = rng.integers(-127, 128, (7, dim)).astype(np.int8)
    query[0] = 127
    dots = maxsim._dots(
        mx.array(query).astype(mx.float32), mx.array(maxsim._offset(codes))
    )
    assert np.array_equal(np.array(dots), codes.astype(int) @ query.T.astype(int))


def test_of_equal_rows_the_first_matches() -> None:
    rng = np.random.default_rng(0)
    row = rng.integers(-127, 128, (1, 64)).astype(np.int8)
    docs = _tokens(np.repeat(row, 6, axis=0), [2, 0, 4])
    scores = BACKEND.maxsim(_tokens(row, [1]), docs, want_matches=True)
    assert scores.matches.tolist() == [[0], [-1], [0]]


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_groups_of_rows_do_not_change_scores(
    encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 9, 60).tolist()
    x = rng.standard_normal((sum(lengths), 64)).astype(np.float32)
    cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
    positions = np.arange(len(x), dtype=np.int32)
    docs = reference.quantize_tokens(x, cu_seqlens, positions, encoding)
    query = reference.quantize_query(x[:5], positions[:5])
    expected = BACKEND.maxsim(query, docs, want_matches=True)
    monkeypatch.setattr(maxsim, "_ROWS_AT_ONCE", 7)
    got = BACKEND.maxsim(query, docs, want_matches=True)
    assert np.array_equal(got.values, expected.values)
    assert np.array_equal(got.matches, expected.matches)
    best_first = np.argsort(-reference.maxsim(query, docs).values, kind="stable")
    assert np.array_equal(np.argsort(-got.values, kind="stable"), best_first)


# --- the reference's rules ---------------------------------------------------


@pytest.mark.parametrize("dim", [8, 104, 384])
def test_mlx_quantises_as_the_reference_to_the_bit(dim) -> None:
    rng = np.random.default_rng(dim)
    x = (rng.standard_normal((400, dim)) * rng.lognormal(0, 3, (400, 1))).astype("f4")
    x[0], x[1, 3] = 0, -0.0
    for rule in ("sign", "three_thresholds"):
        expected = reference.quantize_dense(x, "max_abs", rule)
        got = quantize.quantize_dense(mx.array(x), "max_abs", rule)
        assert np.array_equal(got.codes, expected.codes)
        assert np.array_equal(got.bits, expected.bits)
    unit = quantize.unit_rows(mx.array(x))
    assert np.array_equal(np.array(unit), reference.unit_rows(x))
    codes, scales = quantize.int8_rows(unit)
    expected_codes, expected_scales = reference.int8_rows(np.array(unit))
    assert np.array_equal(codes, expected_codes)
    assert np.array_equal(scales, expected_scales)
