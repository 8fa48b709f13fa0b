"""What weights and states are kept in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import mlx.core as mx
from mlx import nn

from pplx_local.errors import BackendUnavailable

_GROUP_SIZES = (64, 32)
"""Weights that share a scale: fewer cost memory, more cost precision."""
_BITS: Final = {"8bit": 8, "4bit": 4}
_STATES: Final = {"bfloat16": mx.bfloat16, "float32": mx.float32}


@dataclass(frozen=True, slots=True)
class Precision:
    """How the numbers of a network are kept, by the name that the settings have."""

    name: str
    states: mx.Dtype
    """Of the states, and of all weights that are not quantised."""
    bits: int | None
    """Of the weights of linear layers, where they are quantised in groups."""

    @classmethod
    def of(cls, name: str | None, device: mx.DeviceType) -> Precision:
        """Look a precision up; None is the best of a device.

        Raises:
            BackendUnavailable: It is not offered.
        """
        best = "bfloat16" if device == mx.gpu else "float32"
        name = name or best
        if name in _BITS:
            return cls(name, _STATES[best], _BITS[name])
        if name not in _STATES:
            raise BackendUnavailable(
                f"The precision {name!r} is not offered (float16 gives NaNs); choose "
                f"{', '.join(_STATES)}, {' or '.join(_BITS)}. Change `dtype` in "
                "config.toml."
            )
        return cls(name, _STATES[name], None)

    @property
    def layer_bits(self) -> float:
        """Bits of a quantised weight, its part of scale and bias included."""
        shared = 2 * self.states.size * 8 / _GROUP_SIZES[0]
        return (self.bits or 0) + shared

    def quantize(self, network: nn.Module) -> None:
        """Put quantised layers, still empty, in the place of linear ones."""
        if self.bits:
            nn.quantize(network, bits=self.bits, class_predicate=self._choose)

    def _choose(self, path: str, layer: nn.Module) -> bool | dict[str, int]:
        size = group_size(layer.weight.shape[1]) if isinstance(layer, nn.Linear) else 0
        return {"group_size": size, "bits": self.bits or 0} if size else False


def group_size(n_in: int) -> int:
    """Say how many weights of a row of `n_in` share a scale; 0 where no size fits."""
    return next((size for size in _GROUP_SIZES if n_in % size == 0), 0)
