"""Attention in both directions, in memory that does not grow with the square."""

from __future__ import annotations

from functools import partial

import mlx.core as mx

_FUSED_HEAD_DIMS = (64, 80, 128)
"""For these Metal has a kernel that never holds the scores."""
_SCORES_AT_ONCE = {mx.gpu: 1 << 26, mx.cpu: 1 << 22}
"""Scores held at a time where they are held: on CPU, as many as its cache takes."""


def attend(q: mx.array, k: mx.array, v: mx.array, mask: mx.array | None) -> mx.array:
    """Let every token see all tokens of its window.

    Args:
        q: (B, H, L, d)
        k: (B, H_kv, L, d)
        v: (B, H_kv, L, d)
        mask: (B, 1, 1, L) bool, False for padding; None where there is none.

    Returns:
        (B, H, L, d)
    """
    if mx.default_device().type == mx.cpu:
        # Its products are twice as fast over keys that lie transposed.
        k = mx.contiguous(k.swapaxes(2, 3)).swapaxes(2, 3)
    run = partial(
        mx.fast.scaled_dot_product_attention,
        k=k,
        v=v,
        scale=q.shape[3] ** -0.5,
        mask=mask,
    )
    length, step = q.shape[2], _queries_at_once(q)
    if step >= length:
        return run(q)
    blocks = []
    for start in range(0, length, step):
        blocks.append(run(q[:, :, start : start + step]))
        mx.eval(blocks[-1])  # left to itself MLX begins the next ones beside it
    return mx.concatenate(blocks, axis=2)


def _queries_at_once(q: mx.array) -> int:
    n_windows, n_heads, length, head_dim = q.shape
    device = mx.default_device().type
    if device == mx.gpu and head_dim in _FUSED_HEAD_DIMS:
        return length
    return max(1, _SCORES_AT_ONCE[device] // (n_windows * n_heads * length))


def split_heads(x: mx.array, n_heads: int) -> mx.array:
    """Part (B, L, H * d) into (B, L, H, d)."""
    return mx.unflatten(x, -1, (n_heads, -1))


def join_heads(x: mx.array) -> mx.array:
    """Turn (B, H, L, d) back into (B, L, H * d)."""
    return mx.flatten(x.swapaxes(1, 2), -2, -1)
