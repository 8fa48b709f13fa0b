"""What no backend loads, and what it says then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from targets import INT8, target, tiny

from pplx_local.errors import BackendUnavailable, ModelError

__all__ = ["target", "tiny"]


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
