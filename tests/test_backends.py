"""One body for every backend and device that is installed here."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pplx_local import models, reference
from pplx_local.backend import Backend, open_backend, registered_backends
from pplx_local.errors import BackendUnavailable, EncoderCrashed, ModelError
from pplx_local.records import (
    EncodingRecipe,
    Span,
    TokenEncoding,
    TokenVectors,
    TokenWindow,
)

# Before torch is imported: tests run side by side, and threads that spin would fight.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

VOCABULARY, DIM = 100, 32
INT8 = EncodingRecipe(True, True, "max_abs", "three_thresholds", "int8")
DTYPES = ["float32", "bfloat16"]


def _targets() -> list[tuple[str, str]]:
    targets = []
    for name in registered_backends():
        try:
            devices = open_backend(name).devices()
        except BackendUnavailable:
            devices = []
        targets += [(name, device) for device in devices]
    return targets


@pytest.fixture(scope="module", params=_targets(), ids="-".join)
def target(request: pytest.FixtureRequest) -> tuple[Backend, str]:
    name, device = request.param
    return open_backend(name), device


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=DIM,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.15,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def stock(tiny: Path) -> Callable[[NDArray[np.int32]], NDArray[np.float32]]:
    """Token states (T, DIM) by transformers alone, in float32."""
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(
        tiny, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    ).eval()

    def states(ids: NDArray[np.int32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            output = model(input_ids=torch.from_numpy(ids.astype(np.int64))[None])
        return output.last_hidden_state[0].numpy()

    return states


def _window(
    ids: NDArray[np.int32], *spans: tuple[int, int], continues: bool = False
) -> TokenWindow:
    """A window that pools its spans and keeps all tokens in them but the first."""
    keep = np.zeros(len(ids), dtype=np.bool_)
    positions = np.full(len(ids), -1, dtype=np.int32)
    for start, end in spans:
        keep[start + 1 : end] = True
        positions[start:end] = np.arange(end - start)
    spans_ = tuple(Span(*span) for span in spans)
    return TokenWindow(ids, spans_, keep, positions, "document", continues)


def _ids(rng: np.random.Generator, n: int, high: int = VOCABULARY) -> NDArray[np.int32]:
    return rng.integers(0, high, n).astype(np.int32)


def _whole(ids: NDArray[np.int32]) -> TokenWindow:
    return _window(ids, (0, len(ids)))


def _cosines(a: NDArray, b: NDArray) -> NDArray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return (a * b).sum(axis=-1) / norms


def _tokens(vectors: TokenVectors) -> NDArray[np.float32]:
    return vectors.codes.astype(np.float32) * vectors.scales[:, None]


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors_are_those_of_the_stock_model(target, tiny, stock, dtype) -> None:
    backend, device = target
    rng = np.random.default_rng(1)
    texts = [_ids(rng, n) for n in (1, 2, 31, 32, 33, 100)]
    encoder = backend.load(tiny, INT8, device=device, dtype=dtype)
    encoded = encoder.encode([_whole(ids) for ids in texts])
    states = [stock(ids) for ids in texts]
    expected = reference.quantize_dense(
        np.array([reference.pool(rows) for rows in states]), "max_abs", "sign"
    )
    worst = 1 - 2e-5 if dtype == "float32" else 0.999
    assert (encoder.dim, encoder.device, encoder.dtype) == (DIM, device, dtype)
    assert _cosines(encoded.dense.codes, expected.codes).min() >= worst
    kept = np.concatenate([rows[1:] for rows in states])
    assert _cosines(_tokens(encoded.tokens), kept).min() >= min(worst, 1 - 1e-4)
    if dtype == "float32":
        assert np.abs(encoded.dense.codes - expected.codes.astype(int)).max() <= 1
    assert encoded.tokens.cu_seqlens.tolist() == [0, 0, 1, 31, 62, 94, 193]
    assert encoded.tokens.positions[:3].tolist() == [1, 1, 2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbours_in_a_call_never_change_a_vector(target, tiny, dtype) -> None:
    backend, device = target
    rng = np.random.default_rng(2)
    recipe = replace(INT8, token_encoding="bits", token_mean=_mean(DIM))
    encoder = backend.load(
        tiny, recipe, device=device, dtype=dtype, max_batch_tokens=512
    )
    windows = [_whole(_ids(rng, n)) for n in rng.integers(1, 250, 25)]
    _assert_same_alone(encoder, windows, exact=device == "cpu")


def _assert_same_alone(encoder, windows: list[TokenWindow], *, exact: bool) -> None:
    together = encoder.encode(windows)
    for index, window in enumerate(windows):
        alone = encoder.encode([window])
        rows = slice(*together.tokens.cu_seqlens[index : index + 2])
        pairs = [
            (alone.dense.codes[0], together.dense.codes[index]),
            (alone.dense.bits[0], together.dense.bits[index]),
            (alone.tokens.codes, together.tokens.codes[rows]),
        ]
        if exact:
            assert all(np.array_equal(*pair) for pair in pairs), len(window.token_ids)
        else:
            assert _cosines(*pairs[0]) > 1 - 1e-3


def test_the_first_token_sees_the_last(target, tiny) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    ids = _ids(np.random.default_rng(3), 40)
    changed = ids.copy()
    changed[-1] = (changed[-1] + 1) % VOCABULARY
    first, second = (encoder.encode([_whole(one)]).tokens for one in (ids, changed))
    assert not np.array_equal(first.codes[0], second.codes[0])


def test_spans_pool_apart_and_context_is_only_read(target, tiny, stock) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    ids = _ids(np.random.default_rng(4), 50)
    encoded = encoder.encode([_window(ids, (3, 20), (21, 45))])
    states = stock(ids)
    means = np.array([states[3:20].mean(axis=0), states[21:45].mean(axis=0)])
    assert _cosines(encoded.dense.codes, means).min() > 1 - 1e-3
    assert encoded.tokens.cu_seqlens.tolist() == [0, 16, 39]


def test_pieces_of_a_chunk_are_pooled_by_token_count(target, tiny, stock) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    rng = np.random.default_rng(5)
    before, long_piece, short_piece = _ids(rng, 9), _ids(rng, 60), _ids(rng, 7)
    windows = [
        _whole(before),
        _whole(long_piece),
        _window(short_piece, (0, 7), continues=True),
    ]
    encoded = encoder.encode(windows)
    states = np.concatenate([stock(long_piece), stock(short_piece)])
    expected = reference.quantize_dense(
        np.array([states.mean(axis=0)]), "max_abs", "three_thresholds"
    )
    assert encoded.dense.codes.shape == (2, DIM)
    assert np.abs(encoded.dense.codes[1] - expected.codes[0].astype(int)).max() <= 1
    assert encoded.tokens.cu_seqlens.tolist() == [0, 8, 8 + 59 + 6]


def test_a_query_gives_int8_rows_centred_like_the_documents(
    target, tiny, stock
) -> None:
    backend, device = target
    recipe = replace(INT8, token_encoding="bits", token_mean=_mean(DIM))
    encoder = backend.load(tiny, recipe, device=device, dtype="float32")
    window = replace(_whole(_ids(np.random.default_rng(6), 12)), kind="query")
    tokens = encoder.encode([window]).tokens
    rows = stock(window.token_ids)[window.keep]
    expected = reference.quantize_query(
        rows, window.positions[window.keep], "bits", _mean(DIM)
    )
    assert tokens.encoding == "int8"
    assert np.abs(tokens.codes - expected.codes.astype(int)).max() <= 1
    assert np.allclose(tokens.scales, expected.scales, rtol=1e-4)


def test_no_windows_give_no_vectors(target, tiny) -> None:
    backend, device = target
    encoded = backend.load(tiny, INT8, device=device).encode([])
    assert encoded.dense.codes.shape == (0, DIM)
    assert encoded.tokens.cu_seqlens.tolist() == [0]


def test_a_role_that_is_not_asked_for_is_not_made(target, tiny) -> None:
    backend, device = target
    window = _whole(np.arange(5, dtype=np.int32))
    for dense, late in ((True, False), (False, True)):
        recipe = replace(INT8, dense=dense, late=late)
        encoded = backend.load(tiny, recipe, device=device).encode([window])
        assert (encoded.dense is not None, encoded.tokens is not None) == (dense, late)


def test_a_batch_beyond_the_memory_is_halved(
    target, tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    rng = np.random.default_rng(9)
    windows = [_whole(_ids(rng, 40)) for _ in range(11)]
    expected = encoder.encode(windows)
    forward, sizes = encoder._forward, []

    def small_memory(batch: list[TokenWindow]) -> object:
        sizes.append(len(batch))
        if len(batch) > limit:
            raise MemoryError
        return forward(batch)

    monkeypatch.setattr(encoder, "_forward", small_memory)
    limit = 3
    got = encoder.encode(windows)
    assert np.array_equal(got.dense.codes, expected.dense.codes)
    assert np.array_equal(got.tokens.codes, expected.tokens.codes)
    assert max(sizes) == 11
    limit = 0
    with pytest.raises(EncoderCrashed, match="not enough memory"):
        encoder.encode(windows)


# --- loading -----------------------------------------------------------------


def test_another_device_is_refused_not_replaced(target, tiny) -> None:
    backend, _ = target
    with pytest.raises(BackendUnavailable, match="cuda:99"):
        backend.load(tiny, INT8, device="cuda:99")


def test_half_precision_is_refused(target, tiny) -> None:
    backend, device = target
    with pytest.raises(BackendUnavailable, match="NaN"):
        backend.load(tiny, INT8, device=device, dtype="float16")


def _drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def _other_shape(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["intermediate_size"] = 48
    (folder / "config.json").write_text(json.dumps(config))


def _one_layer_more(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))


def _cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    "damage",
    [
        _drop("config.json"),
        _drop("model.safetensors"),
        _write("config.json", b"{"),
        _write("config.json", b"[]"),
        _write("config.json", b'{"model_type": "nonsense"}'),
        _write("config.json", b"\xff\xfe"),
        _write("model.safetensors", b""),
        _write("model.safetensors", b"x" * 5000),
        _other_shape,
        _one_layer_more,
        _cut_short,
    ],
    ids=lambda damage: getattr(damage, "__qualname__", None),
)
def test_a_damaged_checkpoint_is_named(target, tiny, tmp_path, damage) -> None:
    for path in tiny.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damage(tmp_path)
    backend, device = target
    with pytest.raises(ModelError, match=str(tmp_path)):
        backend.load(tmp_path, INT8, device=device)


# --- MaxSim ------------------------------------------------------------------


def _mean(dim: int) -> NDArray[np.float32]:
    return np.random.default_rng(dim).normal(0, 0.05, dim).astype(np.float32)


def _docs(
    rng: np.random.Generator, lengths: list[int], dim: int, encoding: TokenEncoding
) -> TokenVectors:
    x = rng.standard_normal((sum(lengths), dim)).astype(np.float32)
    cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
    positions = np.arange(len(x), dtype=np.int32)
    return reference.quantize_tokens(x, cu_seqlens, positions, encoding, _mean(dim))


def _query(rng: np.random.Generator, n: int, dim: int) -> TokenVectors:
    x = rng.standard_normal((n, dim)).astype(np.float32)
    return reference.quantize_query(x, np.arange(n, dtype=np.int32), "int8")


@pytest.mark.parametrize("encoding", ["int8", "bits"])
@pytest.mark.parametrize("dim", [8, 24, 104, 128, 384])
@pytest.mark.parametrize(
    "lengths", [[1], [3, 1, 7], [0, 5], [33, 300, 2], [0, 0], [], [5000, 0, 4000, 9]]
)
@pytest.mark.parametrize("n_query", [1, 5, 32])
def test_maxsim_is_the_reference(target, encoding, dim, lengths, n_query) -> None:
    backend, _ = target
    rng = np.random.default_rng(dim + n_query)
    docs, query = _docs(rng, lengths, dim, encoding), _query(rng, n_query, dim)
    expected = reference.maxsim(query, docs, want_matches=True)
    got = backend.maxsim(query, docs, want_matches=True)
    assert got.values.dtype == np.float32
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-5)
    np.testing.assert_array_equal(got.matches, expected.matches)
    assert backend.maxsim(query, docs).matches is None


def test_a_chunk_of_opposites_keeps_its_negative_score(target) -> None:
    backend, _ = target
    rng = np.random.default_rng(0)
    query = _query(rng, 1, 16)
    opposite = -np.repeat(query.codes, 3, axis=0).astype(np.float32)
    cu_seqlens = np.array([0, 3, 3], dtype=np.int32)
    for encoding in ("int8", "bits"):
        docs = reference.quantize_tokens(
            opposite, cu_seqlens, np.zeros(3, np.int32), encoding
        )
        values = backend.maxsim(query, docs).values
        assert -1.01 <= values[0] < -0.5
        assert values[1] == -np.inf


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_resident_codes_score_like_the_others(target, encoding) -> None:
    backend, _ = target
    rng = np.random.default_rng(7)
    docs, query = _docs(rng, [4, 0, 9, 2, 40], 64, encoding), _query(rng, 6, 64)
    everything = reference.maxsim(query, docs).values
    resident = backend.resident(docs)
    for chunks in ([0, 1, 2, 3, 4], [4, 2], [1], [], [3, 3]):
        np.testing.assert_allclose(
            resident.maxsim(query, chunks).values, everything[chunks], rtol=1e-5
        )


# --- the starter -------------------------------------------------------------


@pytest.fixture(scope="module")
def starter() -> Path:
    folder = models.find(models.STARTER)
    if folder is None:
        pytest.skip("the starter is not installed")
    return folder


TEXTS = [
    "The tenant shall give notice three months before the end of a quarter.",
    "Glaciers carve valleys into a U shape; rivers cut narrower ones. " * 9,
    "ok",
    "Предложение, которого модель не знает.",
]


def _starter_windows(folder: Path, texts: list[str]) -> list[TokenWindow]:
    from pplx_local import window

    tokenizer = models.load_tokenizer(folder)
    plans = window.plan(texts, tokenizer, models.STARTER.window_rule)
    return [one for plan in plans for one in plan.windows]


def test_the_starter_is_the_published_model(target, starter) -> None:
    """Mean pooling over all tokens of stock transformers with the stock tokenizer."""
    torch = pytest.importorskip("torch")
    from transformers import AutoTokenizer, BertModel

    backend, device = target
    tokenizer = AutoTokenizer.from_pretrained(starter, local_files_only=True)
    model = BertModel.from_pretrained(starter, dtype=torch.float32).eval()
    recipe = models.recipe_of(models.STARTER, ("dense", "late"))
    encoder = backend.load(starter, recipe, device=device, dtype="float32")
    dense = encoder.encode(_starter_windows(starter, TEXTS)).dense
    for codes, text in zip(dense.codes, TEXTS, strict=True):
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=512)
        with torch.inference_mode():
            states = model(**inputs).last_hidden_state[0].numpy()
        expected = reference.quantize_dense(
            states.mean(axis=0)[None], "max_abs", "sign"
        )
        assert np.abs(codes - expected.codes[0].astype(int)).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_starter_gives_the_same_bits_in_any_batch(target, starter, dtype) -> None:
    """Its layers are wide enough for the kernels to sum differently by rows."""
    backend, device = target
    if dtype == "bfloat16" and _default_dtype(backend, starter, device) != dtype:
        pytest.skip("bfloat16 is emulated here, too slowly to be of use")
    recipe = models.recipe_of(models.STARTER, ("dense", "late"))
    encoder = backend.load(starter, recipe, device=device, dtype=dtype)
    rng = np.random.default_rng(8)
    lengths = [30, 32, 20, 96, 96, 90, 95, 80, 96, 480, *[256] * 17]
    windows = [_whole(_ids(rng, n, 30_000)) for n in lengths]
    _assert_same_alone(encoder, windows, exact=device == "cpu")


def _default_dtype(backend: Backend, folder: Path, device: str) -> str:
    recipe = models.recipe_of(models.STARTER, ("dense",))
    return backend.load(folder, recipe, device=device).dtype


# --- quantising --------------------------------------------------------------


@pytest.mark.parametrize("dim", [8, 104, 384])
def test_torch_quantises_as_the_reference_to_the_bit(dim: int) -> None:
    torch = pytest.importorskip("torch")
    from pplx_local_torch import quantize

    rng = np.random.default_rng(dim)
    x = (rng.standard_normal((400, dim)) * rng.lognormal(0, 3, (400, 1))).astype("f4")
    x[0], x[1, 3], mean = 0, -0.0, _mean(dim)
    tensor = torch.from_numpy(x)
    for rule in ("sign", "three_thresholds"):
        expected = reference.quantize_dense(x, "max_abs", rule)
        got = quantize.quantize_dense(tensor, "max_abs", rule)
        assert np.array_equal(got.codes, expected.codes)
        assert np.array_equal(got.bits, expected.bits)
    unit = quantize.centred(tensor, torch.from_numpy(mean))
    assert np.array_equal(unit.numpy(), reference.centred(x, mean))
    codes, scales = quantize.int8_rows(unit)
    expected_codes, expected_scales = reference.int8_rows(reference.centred(x, mean))
    assert np.array_equal(codes, expected_codes)
    assert np.array_equal(scales, expected_scales)
