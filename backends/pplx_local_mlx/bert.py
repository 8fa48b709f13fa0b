"""BERT, as the starter has it; attributes are named as in the checkpoint."""

from __future__ import annotations

import mlx.core as mx
from mlx import nn

from pplx_local.backend.architecture import Architecture
from pplx_local_mlx.attention import attend, join_heads, split_heads


class _Embeddings(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.last_position = a.max_positions - 1
        self.word_embeddings = nn.Embedding(a.vocab_size, a.hidden_size)
        self.position_embeddings = nn.Embedding(a.max_positions, a.hidden_size)
        self.token_type_embeddings = nn.Embedding(a.n_token_types, a.hidden_size)
        self.LayerNorm = nn.LayerNorm(a.hidden_size, a.norm_eps)

    def __call__(self, ids: mx.array) -> mx.array:
        # The padding may reach beyond the last position.
        positions = mx.minimum(mx.arange(ids.shape[1]), self.last_position)
        x = self.word_embeddings(ids) + self.token_type_embeddings(mx.array(0))
        return self.LayerNorm(x + self.position_embeddings(positions))


class _Projections(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.query = nn.Linear(a.hidden_size, a.hidden_size)
        self.key = nn.Linear(a.hidden_size, a.hidden_size)
        self.value = nn.Linear(a.hidden_size, a.hidden_size)


class _Residual(nn.Module):
    """A layer whose output is added to what came before, then normed."""

    def __init__(self, n_in: int, a: Architecture) -> None:
        super().__init__()
        self.dense = nn.Linear(n_in, a.hidden_size)
        self.LayerNorm = nn.LayerNorm(a.hidden_size, a.norm_eps)

    def __call__(self, x: mx.array, before: mx.array) -> mx.array:
        return self.LayerNorm(self.dense(x) + before)


class _Attention(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.n_heads = a.n_heads
        self.self = _Projections(a)
        self.output = _Residual(a.hidden_size, a)

    def __call__(self, x: mx.array, mask: mx.array | None) -> mx.array:
        own = self.self
        q, k, v = (
            split_heads(project(x), self.n_heads).swapaxes(1, 2)
            for project in (own.query, own.key, own.value)
        )
        return self.output(join_heads(attend(q, k, v, mask)), x)


class _Intermediate(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.dense = nn.Linear(a.hidden_size, a.intermediate_size)

    def __call__(self, x: mx.array) -> mx.array:
        return nn.gelu(self.dense(x))


class _Layer(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.attention = _Attention(a)
        self.intermediate = _Intermediate(a)
        self.output = _Residual(a.intermediate_size, a)

    def __call__(self, x: mx.array, mask: mx.array | None) -> mx.array:
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class _Encoder(nn.Module):
    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.layer = [_Layer(a) for _ in range(a.n_layers)]


class Bert(nn.Module):
    """The network without its pooler."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.embeddings = _Embeddings(a)
        self.encoder = _Encoder(a)

    def __call__(self, ids: mx.array, mask: mx.array | None) -> mx.array:
        """Run ids (B, L), mask (B, 1, 1, L): last states (B, L, hidden)."""
        x = self.embeddings(ids)
        for layer in self.encoder.layer:
            x = layer(x, mask)
        return x
