"""config.json to the geometry of a network, and what no backend can run, by name.

Facts of the checkpoints: the model cards and configurations of the pplx-embed family.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from pplx_local.errors import ModelError

DENSE_HEAD = "1_Dense"
"""Folder of the projection that a late-interaction checkpoint ends with."""
_HEAD_DIM = 128
"""Of every Qwen3; never hidden_size / num_attention_heads."""
_MOST = 2**31 - 1
"""What frameworks count in."""
_LARGEST = 1e30
"""That float32 holds, with room to multiply."""
_MOST_LAYERS = 1_000
"""Far more than any has: each is listed before the weights are looked at."""
_V2 = (
    "{path} is of a pplx-embed v2 checkpoint (Qwen3.5, {found!r}), another network than "
    "v1's, which this version cannot run. Those that it can: pplx-local models list"
)
_CAUSAL = (
    "{path} is of a Qwen3 language model, whose tokens see only what comes before them. "
    "pplx-embed needs one with use_bidirectional_attention."
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """The numbers that a network is built from."""

    kind: Literal["bert", "qwen3"]
    """"qwen3" is the bidirectional Qwen3 of pplx-embed."""
    vocab_size: int
    hidden_size: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    intermediate_size: int
    max_positions: int
    norm_eps: float
    rope_theta: float = 0.0
    """Of qwen3."""
    n_token_types: int = 0
    """Of bert."""
    head_size: int | None = None
    """D of the token vectors behind the projection; None without one."""

    @property
    def token_dim(self) -> int:
        """D of the token vectors."""
        return self.head_size or self.hidden_size


def read_architecture(model_dir: Path) -> Architecture:
    """Read config.json, and the projection's where there is one.

    Raises:
        ModelError: It is missing, damaged, or of a network that cannot be run.
    """
    config = _Config.read(model_dir / "config.json")
    readers: dict[str, Callable[[_Config], Architecture]] = {
        "bert": _bert,
        "bidirectional_pplx_qwen3": lambda config: _qwen3(config, model_dir),
    }
    kind = str(config.get("model_type", str))
    if "qwen3_5" in kind:
        config.refuse(_V2.format(path=config.path, found=kind))
    if kind == "qwen3":
        config.refuse(_CAUSAL.format(path=config.path))
    if kind not in readers:
        known = ", ".join(readers)
        config.refuse(f"{config.path} is of the architecture {kind!r}. Known: {known}.")
    return readers[kind](config)


def _bert(config: _Config) -> Architecture:
    config.expect("hidden_act", "gelu")
    config.expect("position_embedding_type", "absolute")
    hidden, heads = config.size("hidden_size"), config.size("num_attention_heads")
    config.require_whole(hidden / heads, "hidden_size / num_attention_heads")
    return Architecture(
        kind="bert",
        vocab_size=config.size("vocab_size"),
        hidden_size=hidden,
        n_layers=config.size("num_hidden_layers", most=_MOST_LAYERS),
        n_heads=heads,
        n_kv_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config.size("intermediate_size"),
        max_positions=config.size("max_position_embeddings"),
        norm_eps=config.number("layer_norm_eps", 1e-12),
        n_token_types=config.size("type_vocab_size", 2),
    )


def _qwen3(config: _Config, model_dir: Path) -> Architecture:
    if config.get("use_bidirectional_attention", bool, True) is not True:
        config.refuse(_CAUSAL.format(path=config.path))
    config.expect("hidden_act", "silu")
    config.expect("attention_bias", False)
    _refuse_sliding_window(config)
    hidden, heads = config.size("hidden_size"), config.size("num_attention_heads")
    kv_heads = config.size("num_key_value_heads", heads)
    head_dim = config.size("head_dim", _HEAD_DIM)
    config.require_whole(heads / kv_heads, "num_attention_heads / num_key_value_heads")
    config.require_whole(head_dim / 2, "half of head_dim")
    return Architecture(
        kind="qwen3",
        vocab_size=config.size("vocab_size"),
        hidden_size=hidden,
        n_layers=config.size("num_hidden_layers", most=_MOST_LAYERS),
        n_heads=heads,
        n_kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=config.size("intermediate_size"),
        max_positions=config.size("max_position_embeddings"),
        norm_eps=config.number("rms_norm_eps", 1e-6),
        rope_theta=_rope_theta(config),
        head_size=_head_size(model_dir, hidden),
    )


def _refuse_sliding_window(config: _Config) -> None:
    kinds = config.get("layer_types", list, [])
    windowed = config.get("use_sliding_window", bool, False) and config.get(
        "sliding_window", int, 0
    )
    if windowed or any(kind != "full_attention" for kind in kinds):
        config.refuse(
            f"{config.path} asks for sliding-window attention, which no pplx-embed v1 "
            "checkpoint has. Take the published one: pplx-local models list"
        )


def _rope_theta(config: _Config) -> float:
    """Find theta at top level, or where transformers 5 keeps it."""
    places = [config.get(key, dict, {}) for key in ("rope_parameters", "rope_scaling")]
    for place in places:
        kind = place.get("rope_type", place.get("type", "default"))
        if kind != "default":
            config.refuse(f"{config.path} asks for {kind!r} rotary positions.")
    stated = [place["rope_theta"] for place in places if "rope_theta" in place]
    theta = config.get("rope_theta", int | float, None) or next(iter(stated), None)
    if not isinstance(theta, int | float):
        config.refuse(f"{config.path} does not say rope_theta.")
    return config.positive(theta, "rope_theta")


def _head_size(model_dir: Path, hidden: int) -> int | None:
    if not (model_dir / DENSE_HEAD).is_dir():
        return None
    config = _Config.read(model_dir / DENSE_HEAD / "config.json")
    config.expect("in_features", hidden)
    config.expect("bias", False)
    activation = str(config.get("activation_function", str, "Identity"))
    if not activation.endswith("Identity"):
        config.refuse(f"{config.path} asks for the activation {activation!r}.")
    return config.size("out_features")


@dataclass(frozen=True, slots=True)
class _Config:
    """A configuration whose values are checked as they are read."""

    path: Path
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> _Config:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"Cannot read {path}: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            message = f"{path} is no model's configuration: {error}."
            raise ModelError(message) from error
        if not isinstance(values, dict):
            raise ModelError(f"{path} is no model's configuration.")
        return cls(path, values)

    def get(self, key: str, kind: Any, *default: Any) -> Any:
        value = self.values.get(key)
        if value is None and default:
            return default[0]
        if not isinstance(value, kind):
            self.refuse(f"{self.path}: {key} is {value!r}, which cannot be.")
        return value

    def size(self, key: str, *default: int, most: int = _MOST) -> int:
        size: int = self.get(key, int, *default)
        if not 1 <= size <= most:
            self.refuse(f"{self.path}: {key} is {size}, which cannot be.")
        return size

    def number(self, key: str, *default: float) -> float:
        found = self.get(key, int | float, *default)
        return self.positive(found, key)

    def positive(self, number: float, key: str) -> float:
        """Refuse what would make every vector NaN."""
        if not 0 < number < _LARGEST:
            self.refuse(f"{self.path}: {key} is {number}, which cannot be.")
        return float(number)

    def require_whole(self, ratio: float, what: str) -> None:
        if not ratio.is_integer():
            self.refuse(f"{self.path}: {what} is {ratio:g}, which is not whole.")

    def expect(self, key: str, wanted: object) -> None:
        found = self.get(key, object, wanted)
        if found != wanted:
            self.refuse(
                f"{self.path}: {key} is {found!r}; only {wanted!r} can be run. "
                "Take the published checkpoint: pplx-local models list"
            )

    def refuse(self, message: str) -> NoReturn:
        raise ModelError(message)
