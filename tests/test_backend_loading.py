"""What no backend loads, and what it says then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.torch import load_file, save_file
from targets import DTYPES, INT8, cosines, late, random_ids, target, tiny, whole

from pplx_local.errors import BackendUnavailable, ModelError

__all__ = ["late", "target", "tiny"]


def test_another_device_is_refused_not_replaced(target, tiny) -> None:
    backend, _ = target
    with pytest.raises(BackendUnavailable, match="cuda:99"):
        backend.load(tiny, INT8, device="cuda:99")


def test_half_precision_is_refused(target, tiny) -> None:
    backend, device = target
    with pytest.raises(BackendUnavailable, match="NaN"):
        backend.load(tiny, INT8, device=device, dtype="float16")


def test_torch_says_who_has_weights_of_few_bits(target, tiny) -> None:
    backend, device = target
    if backend.name != "torch":
        pytest.skip("MLX offers them")
    with pytest.raises(BackendUnavailable, match=r"8bit.* need the backend mlx"):
        backend.load(tiny, INT8, device=device, dtype="8bit")


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


# --- refused by name ---------------------------------------------------------


def _configured(**values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def _retyped(name: str) -> Callable[[Path], object]:
    """Store one tensor as another type."""

    def change(folder: Path) -> None:
        import torch

        tensors = load_file(folder / "model.safetensors")
        tensors[NORM] = tensors[NORM].to(getattr(torch, name))
        save_file(tensors, folder / "model.safetensors")

    return change


def _renamed(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["layers.1.mlp.gate.weight"] = tensors.pop(GATE)
    save_file(tensors, folder / "model.safetensors")


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _head_cut_short(folder: Path) -> None:
    path = folder / "1_Dense" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


NORM = "layers.0.self_attn.q_norm.weight"
GATE = "layers.1.mlp.gate_proj.weight"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_configured(model_type="pplx_contextual_qwen3_5"), ["v2", "Qwen3.5", "list"]),
        (_configured(model_type="qwen3"), ["language model", "only what comes before"]),
        (_configured(use_bidirectional_attention=False), ["language model"]),
        (_configured(use_sliding_window=True, sliding_window=512), ["sliding-window"]),
        (_configured(layer_types=["sliding_attention"] * 2), ["sliding-window"]),
        (_configured(hidden_act="gelu"), ["hidden_act", "'gelu'", "'silu'"]),
        (_configured(head_dim="many"), ["head_dim", "'many'"]),
        (_configured(num_hidden_layers=-1), ["num_hidden_layers", "-1"]),
        (
            _configured(rope_parameters={"rope_type": "yarn", "rope_theta": 1e6}),
            ["'yarn'"],
        ),
        (_configured(rope_parameters=None, rope_theta=None), ["rope_theta"]),
        (_retyped("float16"), [NORM, "F16", "NaNs"]),
        (_retyped("int8"), [NORM, "I8"]),
        (_renamed, [GATE, "layers.1.mlp.gate.weight", "1 missing, 1 unknown"]),
        (_pickled, ["pytorch_model.bin", "pickle", "safetensors"]),
        (_head_cut_short, ["1_Dense", "cut short"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_run_is_refused_by_name(
    target, tmp_path, late, damage, words
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(late, folder)
    damage(folder)
    backend, device = target
    with pytest.raises(ModelError) as refusal:
        backend.load(folder, INT8, device=device)
    message = str(refusal.value)
    assert str(folder) in message
    assert all(word in message for word in words), message


def test_too_little_memory_is_said_before_anything_is_loaded(
    target, late, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, device = target
    if device != "cpu":
        pytest.skip("asks the device for its own memory")
    memory = psutil.virtual_memory()._replace(available=1_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(BackendUnavailable, match=r"GB of memory on cpu.*0\.0 GB are"):
        backend.load(late, INT8, device=device)


# --- other ways to store the same weights ------------------------------------


def _sharded(folder: Path, *, index: bool) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names, places = sorted(tensors), {}
    for number, start in enumerate((0, 7), 1):
        part = f"model-{number:05}-of-00002.safetensors"
        chosen = names[start : start + 7] if number == 1 else names[start:]
        save_file({name: tensors[name] for name in chosen}, folder / part)
        places |= dict.fromkeys(chosen, part)
    if index:
        text = json.dumps({"metadata": {}, "weight_map": places})
        (folder / "model.safetensors.index.json").write_text(text)


def _prefixed(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors = {f"model.{name}": tensor for name, tensor in tensors.items()}
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    "store",
    [partial(_sharded, index=True), partial(_sharded, index=False), _prefixed],
    ids=["indexed", "sharded", "prefixed"],
)
def test_the_same_weights_give_the_same_vectors(target, late, tmp_path, store) -> None:
    folder = tmp_path / "model"
    shutil.copytree(late, folder)
    store(folder)
    backend, device = target
    window = whole(random_ids(np.random.default_rng(0), 30))
    load = partial(backend.load, recipe=INT8, device=device, dtype="float32")
    expected, got = (load(one).encode([window]) for one in (late, folder))
    assert np.array_equal(got.dense.codes, expected.dense.codes)
    assert np.array_equal(got.tokens.codes, expected.tokens.codes)


def test_weights_in_bfloat16_are_read_as_they_are(target, late, tmp_path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(late, folder)
    tensors = load_file(folder / "model.safetensors")
    halves = {name: tensor.bfloat16() for name, tensor in tensors.items()}
    save_file(halves, folder / "model.safetensors")
    backend, device = target
    window = whole(random_ids(np.random.default_rng(0), 30))
    for dtype in DTYPES:
        load = partial(backend.load, recipe=INT8, device=device, dtype=dtype)
        codes = [load(one).encode([window]).dense.codes for one in (late, folder)]
        assert cosines(*codes).min() > 0.999


def test_a_shard_that_the_index_names_is_missed(target, late, tmp_path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(late, folder)
    _sharded(folder, index=True)
    (folder / "model-00002-of-00002.safetensors").unlink()
    backend, device = target
    with pytest.raises(ModelError, match="model-00002-of-00002"):
        backend.load(folder, INT8, device=device)
