"""`pplx_local.reference`'s rules on tensors, so that only codes leave the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pplx_local.records import BitsRule, DenseVectors, Quantizer
from pplx_local.reference import THRESHOLD


def quantize_dense(x: Tensor, quantizer: Quantizer, rule: BitsRule) -> DenseVectors:
    """Quantise pooled vectors (C, D) float32."""
    if quantizer == "tanh":
        levels = torch.tanh(x) * 127
    else:
        largest = x.abs().amax(dim=-1, keepdim=True)  # (C, 1)
        levels = x * (127 / largest.clamp_min(1e-30))
    codes = levels.round().clamp(-128, 127).to(torch.int8)
    bits = pack_bits(_dense_bits(x, rule))
    return DenseVectors(to_host(codes), to_host(bits))


def _dense_bits(x: Tensor, rule: BitsRule) -> Tensor:
    if rule == "sign":
        return x >= 0
    mean_square = x.square().mean(dim=-1, keepdim=True, dtype=_wide(x))
    scale = mean_square.sqrt().float() * THRESHOLD
    return torch.stack([x >= -scale, x >= 0, x >= scale], dim=-1).flatten(1)


def unit_rows(x: Tensor) -> Tensor:
    """Bring rows (T, D) float32 to unit length."""
    norms = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=_wide(x)).float()
    return x / norms.clamp_min(1e-12)


def int8_rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise rows (T, D) float32 to int8 codes with a scale (T,) each."""
    scales = x.abs().amax(dim=-1).clamp_min(1e-12) / 127
    codes = (x / scales[:, None]).round().to(torch.int8)
    return codes, scales


def pack_bits(bits: Tensor) -> Tensor:
    """Pack booleans (T, B) to (T, B/8), most significant bit first."""
    if bits.device.type == "cpu":
        return torch.from_numpy(np.packbits(bits.numpy(), axis=-1))
    weights = 2 ** torch.arange(7, -1, -1, device=bits.device, dtype=torch.uint8)
    octets = bits.view(len(bits), -1, 8).to(torch.uint8) * weights
    return octets.sum(dim=-1, dtype=torch.uint8)


def to_host(x: Tensor) -> NDArray[Any]:
    """Copy a tensor to numpy."""
    array: NDArray[Any] = x.cpu().numpy()
    return array


def _wide(x: Tensor) -> torch.dtype:
    """Sums whose order does not show, where the device can."""
    return torch.float32 if x.device.type == "mps" else torch.float64
