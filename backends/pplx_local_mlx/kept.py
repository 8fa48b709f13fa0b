"""Quantised weights, made once and kept in a file beside those they are made of."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
from safetensors import SafetensorError, safe_open

from pplx_local.backend.weights import TensorPlace
from pplx_local_mlx.precision import group_size
from pplx_local_mlx.tensors import read

_PARTS = ("weight", "scales", "biases")
"""Of a quantised weight: what `mx.quantize` gives, as the layers name it."""
_VERSION = 1
"""Of what the file holds; another number makes it anew."""


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """The file of one checkpoint and number of bits."""

    places: Mapping[str, TensorPlace]
    """Where the weights to quantise lie, by the names that they have in the network."""
    bits: int
    model_dir: Path

    def tensors(self) -> dict[str, mx.array]:
        """Read the quantised tensors, or make and keep them.

        Where the folder cannot be written they are made at each load.
        """
        kept = self._read()
        if kept is None:
            kept = self._make()
            self._write(kept)
        return kept

    @property
    def _path(self) -> Path:
        return self.model_dir / f"mlx-{self.bits}bit.safetensors"

    @property
    def _source(self) -> str:
        """What the file is made of: it goes stale when this changes."""
        files = sorted({place.path for place in self.places.values()})
        stats = [(path.name, path.stat()) for path in files]
        return json.dumps(
            [_VERSION, *([name, s.st_size, s.st_mtime_ns] for name, s in stats)]
        )

    @property
    def _names(self) -> set[str]:
        return {name for weight in self.places for name in _part_names(weight)}

    def _read(self) -> dict[str, mx.array] | None:
        try:
            with safe_open(self._path, framework="np") as file:
                metadata, names = file.metadata() or {}, set(file.keys())
            if metadata.get("source") != self._source or names != self._names:
                return None
            tensors = mx.load(self._path, stream=mx.cpu)
            assert isinstance(tensors, dict), "safetensors hold names"
            mx.eval(tensors)
        except (OSError, RuntimeError, SafetensorError):
            return None
        return tensors

    def _make(self) -> dict[str, mx.array]:
        tensors: dict[str, mx.array] = {}
        for name, weight in read(self.places):
            size = group_size(weight.shape[1])
            parts = mx.quantize(weight.astype(mx.float32), size, self.bits)
            mx.eval(parts)
            tensors |= zip(_part_names(name), parts, strict=True)
        return tensors

    def _write(self, tensors: dict[str, mx.array]) -> None:
        unfinished = self._path.with_name(f".{self._path.name}")
        try:
            mx.save_safetensors(unfinished, tensors, {"source": self._source})
            unfinished.replace(self._path)
        except (OSError, RuntimeError):
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def _part_names(weight: str) -> list[str]:
    layer = weight.removesuffix("weight")
    return [layer + part for part in _PARTS]
