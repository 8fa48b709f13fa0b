"""One body for every backend and device that is installed here."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from targets import (
    DTYPES,
    HIGHEST_ID,
    INT8,
    all_targets,
    assert_same_alone,
    context,
    cosines,
    dim,
    late,
    random_ids,
    stock,
    target,
    tiny,
    token_rows,
    whole,
    window_of,
)
from tiny import (
    HIDDEN,
    SEPARATOR,
    TOKEN_DIM,
    stock_states,
    stock_token_states,
    write_qwen3,
)

from pplx_local import models, reference, window
from pplx_local.backend import open_backend
from pplx_local.errors import EncoderCrashed
from pplx_local.records import EncodingRecipe, TokenWindow
from pplx_local.window import WindowRule

__all__ = ["context", "dim", "late", "stock", "target", "tiny"]

CHUNKS = [
    "The tenant shall give notice.",
    "Glaciers carve valleys into a U shape.",
    "ok",
    "What motivates discovery is curiosity about the world.",
]


def _rule_of(name: str) -> WindowRule:
    return models.lookup(name).window_rule


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors_are_those_of_the_stock_model(target, tiny, stock, dim, dtype) -> None:
    backend, device = target
    rng = np.random.default_rng(1)
    texts = [random_ids(rng, n) for n in (1, 2, 31, 32, 33, 100)]
    encoder = backend.load(tiny, INT8, device=device, dtype=dtype)
    encoded = encoder.encode([whole(ids) for ids in texts])
    states = [stock(ids) for ids in texts]
    expected = reference.quantize_dense(
        np.array([reference.pool(rows) for rows in states]), "max_abs", "sign"
    )
    worst = 1 - 1e-5 if dtype == "float32" else 0.999
    assert (encoder.dim, encoder.token_dim) == (dim, dim)
    assert (encoder.device, encoder.dtype) == (device, dtype)
    assert cosines(encoded.dense.codes, expected.codes).min() >= worst
    kept = np.concatenate([rows[1:] for rows in states])
    assert cosines(token_rows(encoded.tokens), kept).min() >= min(worst, 1 - 1e-4)
    if dtype == "float32":
        assert np.abs(encoded.dense.codes - expected.codes.astype(int)).max() <= 1
    assert encoded.tokens.cu_seqlens.tolist() == [0, 0, 1, 31, 62, 94, 193]
    assert encoded.tokens.positions[:3].tolist() == [1, 1, 2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbours_in_a_call_never_change_a_vector(target, tiny, dim, dtype) -> None:
    backend, device = target
    rng = np.random.default_rng(2)
    recipe = replace(INT8, token_encoding="bits")
    encoder = backend.load(
        tiny, recipe, device=device, dtype=dtype, max_batch_tokens=512
    )
    windows = [whole(random_ids(rng, n)) for n in rng.integers(1, 250, 25)]
    assert_same_alone(encoder, windows, exact=device == "cpu")


def test_the_first_token_sees_the_last(target, tiny) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    ids = random_ids(np.random.default_rng(3), 40)
    changed = ids.copy()
    changed[-1] = (changed[-1] + 1) % HIGHEST_ID
    first, second = (encoder.encode([whole(one)]).tokens for one in (ids, changed))
    assert not np.array_equal(first.codes[0], second.codes[0])


def test_spans_pool_apart_and_context_is_only_read(target, tiny, stock) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    ids = random_ids(np.random.default_rng(4), 50)
    encoded = encoder.encode([window_of(ids, (3, 20), (21, 45))])
    states = stock(ids)
    means = np.array([states[3:20].mean(axis=0), states[21:45].mean(axis=0)])
    assert cosines(encoded.dense.codes, means).min() > 1 - 1e-3
    assert encoded.tokens.cu_seqlens.tolist() == [0, 16, 39]


def test_pieces_of_a_chunk_are_pooled_by_token_count(target, tiny, stock) -> None:
    backend, device = target
    encoder = backend.load(tiny, INT8, device=device, dtype="float32")
    rng = np.random.default_rng(5)
    before, long_piece, short_piece = (
        random_ids(rng, 9),
        random_ids(rng, 60),
        random_ids(rng, 7),
    )
    windows = [
        whole(before),
        whole(long_piece),
        window_of(short_piece, (0, 7), continues=True),
    ]
    encoded = encoder.encode(windows)
    states = np.concatenate([stock(long_piece), stock(short_piece)])
    expected = reference.quantize_dense(
        np.array([states.mean(axis=0)]), "max_abs", "three_thresholds"
    )
    assert encoded.dense.codes.shape == (2, encoder.dim)
    assert np.abs(encoded.dense.codes[1] - expected.codes[0].astype(int)).max() <= 1
    assert encoded.tokens.cu_seqlens.tolist() == [0, 8, 8 + 59 + 6]


def test_a_query_gives_int8_rows_beside_documents_in_bits(
    target, tiny, stock, dim
) -> None:
    backend, device = target
    recipe = replace(INT8, token_encoding="bits")
    encoder = backend.load(tiny, recipe, device=device, dtype="float32")
    window = replace(whole(random_ids(np.random.default_rng(6), 12)), kind="query")
    tokens = encoder.encode([window]).tokens
    rows = stock(window.token_ids)[window.keep]
    expected = reference.quantize_query(rows, window.positions[window.keep])
    assert tokens.encoding == "int8"
    assert np.abs(tokens.codes - expected.codes.astype(int)).max() <= 1
    assert np.allclose(tokens.scales, expected.scales, rtol=1e-4)


def test_no_windows_give_no_vectors(target, tiny, dim) -> None:
    backend, device = target
    encoded = backend.load(tiny, INT8, device=device).encode([])
    assert encoded.dense.codes.shape == (0, dim)
    assert encoded.tokens.cu_seqlens.tolist() == [0]


def test_a_role_that_is_not_asked_for_is_not_made(target, tiny) -> None:
    backend, device = target
    window = whole(np.arange(5, dtype=np.int32))
    for roles in ((True, False), (False, True)):
        recipe = replace(INT8, dense=roles[0], late=roles[1])
        encoded = backend.load(tiny, recipe, device=device).encode([window])
        assert (encoded.dense is not None, encoded.tokens is not None) == roles


def test_a_batch_beyond_the_memory_is_halved(
    target, tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, device = target
    # Two, as the first pass of each is of a size that no speed has changed.
    other, encoder = (
        backend.load(tiny, INT8, device=device, dtype="float32") for _ in range(2)
    )
    rng = np.random.default_rng(9)
    windows = [whole(random_ids(rng, 40)) for _ in range(11)]
    expected = other.encode(windows)
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
    assert sizes[0] == max(sizes) == 11
    limit = 0
    with pytest.raises(EncoderCrashed, match="not enough memory"):
        encoder.encode(windows)


# --- the pplx-embed family ---------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_familys_quantiser_is_tanh_and_its_bits_the_sign(
    target, tiny, stock, dtype
) -> None:
    backend, device = target
    recipe = EncodingRecipe(True, False, "tanh", "sign")
    encoder = backend.load(tiny, recipe, device=device, dtype=dtype)
    rng = np.random.default_rng(10)
    texts = [random_ids(rng, n) for n in (1, 7, 64, 200)]
    dense = encoder.encode([whole(ids) for ids in texts]).dense
    x = np.array([reference.pool(stock(ids)) for ids in texts])
    expected = reference.quantize_dense(x, "tanh", "sign")
    flipped = np.unpackbits(dense.bits ^ expected.bits, axis=1).astype(bool)
    if dtype == "float32":
        assert np.abs(dense.codes - expected.codes.astype(int)).max() <= 1
        assert np.all(np.abs(x[flipped]) <= 1e-4)
    assert cosines(dense.codes, expected.codes).min() >= 0.999
    assert flipped.mean() < 0.02


def test_a_context_window_is_pooled_chunk_by_chunk(target, context) -> None:
    """Chunks are read together; the separators between them belong to none."""
    backend, device = target
    recipe = EncodingRecipe(True, False, "tanh", "sign")
    encoder = backend.load(context, recipe, device=device, dtype="float32")
    tokenizer, rule = models.load_tokenizer(context), _rule_of("context-v1-0.6b")
    (plan,) = window.plan(CHUNKS, tokenizer, rule)
    joined = [*chain.from_iterable([*ids, SEPARATOR] for ids in tokenizer.ids(CHUNKS))]
    assert plan.windows[0].token_ids.tolist() == joined[:-1]
    states = stock_states(context)(np.array(joined[:-1], np.int32))
    cuts = np.flatnonzero(np.array(joined) == SEPARATOR)
    starts = [0, *(cuts[:-1] + 1)]
    x = np.array([states[a:b].mean(axis=0) for a, b in zip(starts, cuts, strict=True)])
    dense = encoder.encode(plan.windows).dense
    expected = reference.quantize_dense(x, "tanh", "sign")
    assert len(dense.codes) == len(CHUNKS)
    assert np.abs(dense.codes - expected.codes.astype(int)).max() <= 1


def test_padding_like_the_separator_makes_no_chunk(target, context) -> None:
    """Its id is the padding's too, in the published tokenizer."""
    backend, device = target
    recipe = EncodingRecipe(True, False, "tanh", "sign")
    encoder = backend.load(context, recipe, device=device, dtype="float32")
    tokenizer, rule = models.load_tokenizer(context), _rule_of("context-v1-0.6b")
    texts = [CHUNKS, ["short"], ["a <|endoftext|> b", "c"]]
    plans = [window.plan(chunks, tokenizer, rule)[0] for chunks in texts]
    together = encoder.encode([plan.windows[0] for plan in plans]).dense
    alone = [encoder.encode(plan.windows).dense.codes for plan in plans]
    assert [len(codes) for codes in alone] == [len(chunks) for chunks in texts]
    assert np.abs(together.codes - np.concatenate(alone).astype(int)).max() <= 1


@pytest.mark.timeout(600)
def test_a_window_of_the_full_length_is_read(target, tmp_path) -> None:
    backend, device = target
    one = {"num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1}
    folder = write_qwen3(
        tmp_path, "dense", layer_types=["full_attention"], head_dim=8, **one
    )
    recipe = EncodingRecipe(True, False, "tanh", "sign")
    encoder = backend.load(folder, recipe, device=device, dtype="float32")
    ids = random_ids(np.random.default_rng(11), 32_768)
    spans = [(start, start + 4096) for start in range(0, 32_768, 4096)]
    dense = encoder.encode([window_of(ids, *spans)]).dense
    states = stock_states(folder)(ids)
    x = np.array([states[start:end].mean(axis=0) for start, end in spans])
    expected = reference.quantize_dense(x, "tanh", "sign")
    assert np.abs(dense.codes - expected.codes.astype(int)).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_late_vectors_are_projected_and_of_unit_length(target, late, dtype) -> None:
    backend, device = target
    recipe = EncodingRecipe(False, True, token_encoding="int8")
    encoder = backend.load(late, recipe, device=device, dtype=dtype)
    rng = np.random.default_rng(12)
    texts = [random_ids(rng, n, 151_671) for n in (5, 40, 511)]
    tokens = encoder.encode([whole(ids) for ids in texts]).tokens
    states = stock_token_states(late)
    expected = np.concatenate([states(ids)[1:] for ids in texts])
    rows = token_rows(tokens)
    assert (encoder.dim, encoder.token_dim) == (HIDDEN, TOKEN_DIM)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=0.01)
    similar = cosines(rows, expected)
    assert similar.min() > (1 - 1e-4 if dtype == "float32" else 0.998)
    assert similar.mean() > 0.999


def test_backends_give_each_others_vectors(tiny) -> None:
    """Two implementations that share no model code are each other's check."""
    rng = np.random.default_rng(13)
    windows = [whole(random_ids(rng, n)) for n in (1, 30, 33, 250)]
    encoded = {
        name: open_backend(name)
        .load(tiny, INT8, device="cpu", dtype="float32")
        .encode(windows)
        for name in {name for name, _ in all_targets()}
    }
    if len(encoded) < 2:
        pytest.skip("one backend alone is installed here")
    first, *others = encoded.values()
    for other in others:
        assert np.abs(first.dense.codes - other.dense.codes.astype(int)).max() <= 1
        assert np.abs(first.tokens.codes - other.tokens.codes.astype(int)).max() <= 1
        assert (first.dense.bits != other.dense.bits).mean() < 0.01
