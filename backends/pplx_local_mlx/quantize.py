"""`pplx_local.reference`'s rules on arrays, so that only codes leave the device."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from pplx_local.records import BitsRule, DenseVectors, Quantizer
from pplx_local.reference import THRESHOLD


def quantize_dense(x: mx.array, quantizer: Quantizer, rule: BitsRule) -> DenseVectors:
    """Quantise pooled vectors (C, D) float32."""
    if quantizer == "tanh":
        levels = mx.tanh(x) * 127
    else:
        largest = mx.abs(x).max(axis=-1, keepdims=True)  # (C, 1)
        levels = x * (127 / mx.maximum(largest, 1e-30))
    codes = mx.clip(mx.round(levels), -128, 127).astype(mx.int8)
    return DenseVectors(to_host(codes), pack_bits(_dense_bits(x, rule)))


def _dense_bits(x: mx.array, rule: BitsRule) -> mx.array:
    if rule == "sign":
        return x >= 0
    mean_square = mx.mean(_wide(mx.square(x)), axis=-1, keepdims=True)
    scale = mx.sqrt(mean_square).astype(mx.float32) * THRESHOLD
    return mx.flatten(mx.stack([x >= -scale, x >= 0, x >= scale], axis=-1), 1)


def unit_rows(x: mx.array) -> mx.array:
    """Bring rows (T, D) float32 to unit length."""
    squares = mx.square(_wide(x)).sum(axis=-1, keepdims=True)
    norms = mx.sqrt(squares).astype(mx.float32)
    return x / mx.maximum(norms, 1e-12)


def int8_rows(x: mx.array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise rows (T, D) float32 to int8 codes with a scale (T,) each."""
    scales = mx.maximum(mx.abs(x).max(axis=-1), 1e-12) / 127
    codes = mx.round(x / scales[:, None]).astype(mx.int8)
    return to_host(codes), to_host(scales)


def pack_bits(bits: mx.array) -> NDArray[np.uint8]:
    """Pack booleans (T, B) to (T, B/8), most significant bit first."""
    weights = mx.array([128, 64, 32, 16, 8, 4, 2, 1], dtype=mx.uint8)
    octets = mx.unflatten(bits, 1, (-1, 8)).astype(mx.uint8) * weights
    return to_host(octets.sum(axis=-1).astype(mx.uint8))


def to_host(x: mx.array) -> NDArray[Any]:
    """Copy an array to numpy."""
    return np.array(x)


def _wide(x: mx.array) -> mx.array:
    """Make sums whose order does not show, where the device can."""
    on_cpu = mx.default_device().type == mx.cpu
    return x.astype(mx.float64) if on_cpu else x
