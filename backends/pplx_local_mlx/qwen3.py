"""The bidirectional Qwen3 of pplx-embed; attributes are named as in the checkpoint."""

from __future__ import annotations

import mlx.core as mx
from mlx import nn

from pplx_local.backend.architecture import Architecture
from pplx_local_mlx.attention import attend, join_heads, split_heads


class _Attention(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        queries, keys = a.n_heads * a.head_dim, a.n_kv_heads * a.head_dim
        self.n_heads, self.n_kv_heads = a.n_heads, a.n_kv_heads
        self.q_proj = nn.Linear(a.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(a.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(a.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, a.hidden_size, bias=False)
        self.q_norm = nn.RMSNorm(a.head_dim, a.norm_eps)
        self.k_norm = nn.RMSNorm(a.head_dim, a.norm_eps)
        self.rope = nn.RoPE(a.head_dim, traditional=False, base=a.rope_theta)

    def __call__(self, x: mx.array, mask: mx.array | None) -> mx.array:
        q = self.q_norm(split_heads(self.q_proj(x), self.n_heads))
        k = self.k_norm(split_heads(self.k_proj(x), self.n_kv_heads))
        v = split_heads(self.v_proj(x), self.n_kv_heads)
        q, k, v = (y.swapaxes(1, 2) for y in (q, k, v))  # (B, H, L, d)
        return self.o_proj(join_heads(attend(self.rope(q), self.rope(k), v, mask)))


class _Mlp(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(a.hidden_size, a.intermediate_size, bias=False)
        self.up_proj = nn.Linear(a.hidden_size, a.intermediate_size, bias=False)
        self.down_proj = nn.Linear(a.intermediate_size, a.hidden_size, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        return self.down_proj(nn.silu(self.gate_proj(x)) * self.up_proj(x))


class _Layer(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(a.hidden_size, a.norm_eps)
        self.self_attn = _Attention(a)
        self.post_attention_layernorm = nn.RMSNorm(a.hidden_size, a.norm_eps)
        self.mlp = _Mlp(a)

    def __call__(self, x: mx.array, mask: mx.array | None) -> mx.array:
        x = x + self.self_attn(self.input_layernorm(x), mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Qwen3(nn.Module):
    """The network without its projection."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(a.vocab_size, a.hidden_size)
        self.layers = [_Layer(a) for _ in range(a.n_layers)]
        self.norm = nn.RMSNorm(a.hidden_size, a.norm_eps)

    def __call__(self, ids: mx.array, mask: mx.array | None) -> mx.array:
        """Run ids (B, L), mask (B, 1, 1, L): last states (B, L, hidden)."""
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)
