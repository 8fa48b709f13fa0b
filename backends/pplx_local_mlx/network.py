"""A checkpoint's folder to a network on a device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mlx.core as mx
import psutil
from mlx import nn

from pplx_local.backend.architecture import Architecture, read_architecture
from pplx_local.backend.weights import (
    TensorPlace,
    locate,
    locate_head,
    require_memory,
)
from pplx_local_mlx.bert import Bert
from pplx_local_mlx.kept import KeptWeights
from pplx_local_mlx.precision import Precision
from pplx_local_mlx.qwen3 import Qwen3
from pplx_local_mlx.tensors import evaluated, read

_Places = Mapping[str, TensorPlace]


class Network(nn.Module):
    """The layers, and the projection behind them where there is one."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.body = Bert(a) if a.kind == "bert" else Qwen3(a)
        self.head = (
            nn.Linear(a.hidden_size, a.head_size, False) if a.head_size else None
        )

    def __call__(self, ids: mx.array, mask: mx.array | None) -> mx.array:
        """Run ids (B, L), mask (B, 1, 1, L): last states (B, L, hidden)."""
        return self.body(ids, mask)

    def project(self, states: mx.array) -> mx.array:
        """Turn states (..., hidden) into token states (..., token_dim)."""
        return self.head(states) if self.head else states


def load_network(model_dir: Path, precision: Precision) -> tuple[Network, Architecture]:
    """Load weights, all of them and nothing else, to the default device.

    Raises:
        ModelError: config.json or the weights are missing, damaged, or of an
            architecture that is not known.
        BackendUnavailable: They do not fit the memory of the device.
    """
    architecture = read_architecture(model_dir)
    places = locate(model_dir, architecture)
    found = {f"body.{name}": place for name, place in places.items()}
    if architecture.head_size:
        found["head.weight"] = locate_head(model_dir, architecture)
    # The layers begin with arrays that are never evaluated, and so cost nothing.
    network = Network(architecture)
    precision.quantize(network.body)
    quantized = _weights_of(network, nn.QuantizedLinear)
    _require_memory(found, quantized, precision, model_dir)
    plain = {name: place for name, place in found.items() if name not in quantized}
    tensors = _plain(plain, _weights_of(network, nn.Linear), precision)
    if precision.bits:
        chosen = {name: found[name] for name in quantized}
        tensors |= _quantized(chosen, precision, model_dir)
    network.load_weights(list(tensors.items()), strict=True)
    return network, architecture


def _weights_of(network: Network, kind: type[nn.Module]) -> set[str]:
    """Name the weights of all layers of a kind."""
    layers = network.named_modules()
    return {f"{name}.weight" for name, layer in layers if isinstance(layer, kind)}


def _plain(
    places: _Places, linear: set[str], precision: Precision
) -> dict[str, mx.array]:
    """Read tensors, each brought to its type before the next."""
    on_cpu = mx.default_device().type == mx.cpu
    tensors = {}
    for name, tensor in read(places):
        tensor = tensor.astype(precision.states)
        if on_cpu and name in linear:
            # Its products are twice as fast with weights that lie transposed.
            tensor = mx.contiguous(tensor.T).T
        tensors[name] = evaluated(tensor)
    return tensors


def _quantized(
    places: _Places, precision: Precision, model_dir: Path
) -> dict[str, mx.array]:
    assert precision.bits, "only quantised weights are asked for"
    kept = KeptWeights(places, precision.bits, model_dir).tensors()
    return {
        name: evaluated(
            tensor if tensor.dtype == mx.uint32 else tensor.astype(precision.states)
        )
        for name, tensor in kept.items()
    }


def _require_memory(
    places: _Places, quantized: set[str], precision: Precision, model_dir: Path
) -> None:
    elements = {name: place.n_elements for name, place in places.items()}
    total = sum(elements.values())
    small = sum(elements[name] for name in quantized)
    bits = (total - small) * precision.states.size * 8 + small * precision.layer_bits
    where, available = _free_memory()
    require_memory(total, bits / total, available, where, model_dir)


def _free_memory() -> tuple[str, int]:
    """Name the default device, and say how many bytes are free on it."""
    available = psutil.virtual_memory().available
    if mx.default_device().type == mx.cpu:
        return "cpu", available
    limit = int(mx.device_info(mx.gpu)["max_recommended_working_set_size"])
    return "metal", min(available, limit - mx.get_active_memory())
