"""Every installed backend and device as a fixture, and windows to give them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tiny import (
    States,
    config_of,
    stock_states,
    write_bert,
    write_qwen3,
    write_tokenizer,
)

from pplx_local.backend import Backend, open_backend, registered_backends
from pplx_local.backend.architecture import read_architecture
from pplx_local.backend.weights import tensor_shapes
from pplx_local.errors import BackendUnavailable
from pplx_local.records import (
    Encoded,
    EncodingRecipe,
    Span,
    TokenVectors,
    TokenWindow,
)

# Before torch is imported: tests run side by side, and threads that spin would fight.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

HIGHEST_ID = 100
"""Of the ids that every tiny checkpoint knows."""
INT8 = EncodingRecipe(True, True, "max_abs", "three_thresholds", "int8")
DTYPES = ["float32", "bfloat16"]


def all_targets() -> list[tuple[str, str]]:
    """Backends that are installed here, with each of their devices."""
    targets = []
    for name in registered_backends():
        try:
            devices = open_backend(name).devices()
        except BackendUnavailable:
            devices = []
        targets += [(name, device) for device in devices]
    return targets


@pytest.fixture(scope="module", params=all_targets(), ids="-".join)
def target(request: pytest.FixtureRequest) -> tuple[Backend, str]:
    """A backend and one of its devices."""
    name, device = request.param
    return open_backend(name), device


@pytest.fixture(scope="module", params=["bert", "qwen3"])
def tiny(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A random checkpoint of two layers, of each network."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "bert":
        return write_bert(folder)
    return write_qwen3(folder, "dense")


@pytest.fixture(scope="module")
def stock(tiny: Path) -> States:
    """Token states (T, D) by transformers alone, in float32."""
    return stock_states(tiny)


@pytest.fixture(scope="module")
def dim(tiny: Path) -> int:
    """D of its states."""
    hidden: int = json.loads((tiny / "config.json").read_text())["hidden_size"]
    return hidden


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contextual checkpoint with a tokenizer."""
    folder = write_qwen3(tmp_path_factory.mktemp("context"), "context")
    write_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A late-interaction checkpoint with a tokenizer."""
    folder = write_qwen3(tmp_path_factory.mktemp("late"), "late")
    write_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def broad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 MB of float32: large enough to tell what loading takes."""
    folder = tmp_path_factory.mktemp("broad")
    sizes = {"hidden_size": 512, "intermediate_size": 1536, "vocab_size": 20_000}
    layers = {"num_hidden_layers": 12, "layer_types": ["full_attention"] * 12}
    config = config_of("dense", **sizes, **layers)
    (folder / "config.json").write_text(json.dumps(config))
    rng = np.random.default_rng(0)
    save_file(
        {
            name: rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
            for name, shape in tensor_shapes(read_architecture(folder)).items()
        },
        folder / "model.safetensors",
    )
    return folder


def window_of(
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


def whole(ids: NDArray[np.int32]) -> TokenWindow:
    """A window that is one chunk."""
    return window_of(ids, (0, len(ids)))


def random_ids(
    rng: np.random.Generator, n: int, high: int = HIGHEST_ID
) -> NDArray[np.int32]:
    """Token ids (n,)."""
    return rng.integers(0, high, n).astype(np.int32)


def cosines(a: NDArray, b: NDArray) -> NDArray:
    """Cosine of each row of a with the same row of b."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return (a * b).sum(axis=-1) / norms


def token_rows(vectors: TokenVectors) -> NDArray[np.float32]:
    """What int8 token vectors stand for: (T, D)."""
    assert vectors.scales is not None
    return vectors.codes.astype(np.float32) * vectors.scales[:, None]


def assert_same_alone(encoder, windows: list[TokenWindow], *, exact: bool) -> None:
    """Hold the vectors of a call to those of each window by itself."""
    together = encoder.encode(windows)
    for index, window in enumerate(windows):
        alone: Encoded = encoder.encode([window])
        rows = slice(*together.tokens.cu_seqlens[index : index + 2])
        pairs = [
            (alone.dense.codes[0], together.dense.codes[index]),
            (alone.dense.bits[0], together.dense.bits[index]),
            (alone.tokens.codes, together.tokens.codes[rows]),
        ]
        if exact:
            assert all(np.array_equal(*pair) for pair in pairs), len(window.token_ids)
        else:
            assert cosines(*pairs[0]) > 1 - 1e-3
