"""The starter on every backend, with its real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from targets import DTYPES, assert_same_alone, random_ids, target, whole
from tiny import stock_states

from pplx_local import models, reference
from pplx_local.backend import Backend
from pplx_local.records import TokenWindow

__all__ = ["target"]


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
    if (backend.name, device) == ("mlx", "cpu"):  # slow; one window at a time
        lengths = [30, 32, 90, 96, 200]
    windows = [whole(random_ids(rng, n, 30_000)) for n in lengths]
    assert_same_alone(encoder, windows, exact=device == "cpu")


def _default_dtype(backend: Backend, folder: Path, device: str) -> str:
    recipe = models.recipe_of(models.STARTER, ("dense",))
    return backend.load(folder, recipe, device=device).dtype


@pytest.mark.parametrize("n_tokens", [1, 2, 9, 48])
def test_a_short_query_has_the_states_that_transformers_gives(
    starter, n_tokens
) -> None:
    """Of real weights: those of tests have biases that are all zero."""
    torch = pytest.importorskip("torch")
    from pplx_local_torch.brief import BriefQueries
    from pplx_local_torch.model import load_model

    network, _ = load_model(starter, torch.device("cpu"), torch.float32)
    ids = random_ids(np.random.default_rng(n_tokens), n_tokens, high=20_000)
    with torch.inference_mode():
        queries = BriefQueries(network.body, lambda states: (states, states))
        states, _ = queries.states(ids)
    np.testing.assert_allclose(states, stock_states(starter)(ids), atol=2e-5)


# --- quantising --------------------------------------------------------------


@pytest.mark.parametrize("dim", [8, 104, 384])
def test_torch_quantises_as_the_reference_to_the_bit(dim: int) -> None:
    torch = pytest.importorskip("torch")
    from pplx_local_torch import quantize

    rng = np.random.default_rng(dim)
    x = (rng.standard_normal((400, dim)) * rng.lognormal(0, 3, (400, 1))).astype("f4")
    x[0], x[1, 3] = 0, -0.0
    tensor = torch.from_numpy(x)
    for rule in ("sign", "three_thresholds"):
        expected = reference.quantize_dense(x, "max_abs", rule)
        got = quantize.quantize_dense(tensor, "max_abs", rule)
        assert np.array_equal(got.codes, expected.codes)
        assert np.array_equal(got.bits, expected.bits)
    unit = quantize.unit_rows(tensor)
    assert np.array_equal(unit.numpy(), reference.unit_rows(x))
    codes, scales = quantize.int8_rows(unit)
    expected_codes, expected_scales = reference.int8_rows(reference.unit_rows(x))
    assert np.array_equal(codes, expected_codes)
    assert np.array_equal(scales, expected_scales)
