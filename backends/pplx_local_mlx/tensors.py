"""Tensors from their files to a device, never two copies of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import mlx.core as mx

from pplx_local.backend.weights import TensorPlace
from pplx_local.errors import ModelError


def read(places: Mapping[str, TensorPlace]) -> Iterator[tuple[str, mx.array]]:
    """Read tensors as they are stored, each when it is asked for.

    The largest come first: what is made of them is smaller, and by the time the memory
    is full only small ones pass through it.

    Raises:
        ModelError: A file cannot be read.
    """
    files = {path: _open(path) for path in {place.path for place in places.values()}}
    for name in sorted(places, key=lambda name: -places[name].n_elements):
        place = places[name]
        tensor = files[place.path].pop(place.key)
        try:
            mx.eval(tensor)
        except RuntimeError as error:
            raise ModelError(f"Cannot read {place.path}: {error}.") from error
        yield name, tensor
        mx.clear_cache()


def _open(path: Path) -> dict[str, mx.array]:
    """Open a file; a tensor in it is read when it is evaluated."""
    try:
        tensors = mx.load(path, stream=mx.cpu)
    except RuntimeError as error:
        raise ModelError(f"Cannot read {path}: {error}.") from error
    assert isinstance(tensors, dict), "safetensors hold names"
    return tensors


def evaluated(tensor: mx.array) -> mx.array:
    """Compute an array now, so that what it is made of can go."""
    mx.eval(tensor)
    return tensor
