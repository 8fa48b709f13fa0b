"""The tensors of a checkpoint: which file holds each, checked before any is loaded.

Only headers are read here; a backend then takes the tensors one by one, by its own
means, so that they are never in memory twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from safetensors import SafetensorError, safe_open

from pplx_local.backend.architecture import DENSE_HEAD, Architecture
from pplx_local.backend.files import weight_files
from pplx_local.errors import BackendUnavailable, ModelError

HEAD_WEIGHT = "linear.weight"
"""Of the projection of a late-interaction checkpoint, (token_dim, hidden_size)."""
_DTYPES = {"F32": 4, "BF16": 2}
"""Bytes of an element, by the names of safetensors."""
_PREFIXES = ("model.", "bert.")
_UNUSED = ("pooler.", "cls.", "lm_head.", "embeddings.position_ids")
"""Tensors in checkpoints that no vector of ours depends on."""
_ROOM = 1.15
"""Memory for the weights and one batch, as a share of the weights."""


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """Where a tensor lies."""

    path: Path
    key: str
    """Its name in the file."""
    shape: tuple[int, ...]
    dtype: str
    """"F32" or "BF16"."""

    @property
    def n_elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


def locate(model_dir: Path, architecture: Architecture) -> dict[str, TensorPlace]:
    """Find every tensor of the network: by the name it has in the checkpoint.

    Raises:
        ModelError: A file is damaged; or a tensor is missing, of another shape or type,
            or not known.
    """
    expected = tensor_shapes(architecture)
    places = {
        name: place
        for path in weight_files(model_dir)
        for name, place in _headers(path)
        if not name.startswith(_UNUSED)
    }
    _compare(model_dir, places, expected)
    return places


def locate_head(model_dir: Path, architecture: Architecture) -> TensorPlace:
    """Find the projection of a late-interaction checkpoint.

    Raises:
        ModelError: As `locate`.
    """
    assert architecture.head_size, "only a checkpoint with a projection is asked"
    folder = model_dir / DENSE_HEAD
    places = {
        name: place for path in weight_files(folder) for name, place in _headers(path)
    }
    shape = architecture.head_size, architecture.hidden_size
    _compare(folder, places, {HEAD_WEIGHT: shape})
    return places[HEAD_WEIGHT]


def _headers(path: Path) -> Iterator[tuple[str, TensorPlace]]:
    try:
        path.open(
            "rb"
        ).close()  # says why it fails: the library always says "not there"
        with safe_open(path, framework="np") as file:
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(key)
                place = TensorPlace(
                    path, key, tuple(part.get_shape()), part.get_dtype()
                )
                yield _plain(key), place
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise ModelError(
            f"{path} is damaged, perhaps cut short: {error}. Fetch it again."
        ) from error


def _plain(key: str) -> str:
    return next((key.removeprefix(p) for p in _PREFIXES if key.startswith(p)), key)


def _compare(
    model_dir: Path,
    places: Mapping[str, TensorPlace],
    expected: Mapping[str, tuple[int, ...]],
) -> None:
    missing = [name for name in expected if name not in places]
    unknown = [place.key for name, place in places.items() if name not in expected]
    if missing or unknown:
        found = f"; {unknown[0]} is there and not known" if unknown else ""
        lacking = f"{missing[0]} is missing" if missing else "there are too many"
        raise ModelError(
            f"The weights in {model_dir} do not fit their config.json: {lacking}{found} "
            f"({len(missing)} missing, {len(unknown)} unknown)."
        )
    for name, place in places.items():
        _check(place, expected[name])


def _check(place: TensorPlace, shape: tuple[int, ...]) -> None:
    if place.shape != shape:
        raise ModelError(
            f"{place.path} does not fit its config.json: {place.key} is of shape "
            f"{place.shape}, not {shape}."
        )
    if place.dtype not in _DTYPES:
        raise ModelError(
            f"{place.path}: {place.key} is stored as {place.dtype}; only F32 and BF16 "
            "are read (F16 gave NaNs). Take the checkpoint as it was published."
        )


def require_memory(
    n_elements: int, bits: float, available: int, where: str, model_dir: Path
) -> None:
    """Refuse weights that do not fit.

    Args:
        n_elements: Numbers in the weights.
        bits: Of one of them, as it will lie in memory.
        available: Bytes that are free.
        where: The device, for the message.
        model_dir: The checkpoint, for the message.

    Raises:
        BackendUnavailable: They need more than there is.
    """
    needed = int(n_elements * bits / 8 * _ROOM)
    if needed > available:
        raise BackendUnavailable(
            f"{model_dir.name} needs {needed / 1e9:,.1f} GB of memory on {where}, and "
            f"{available / 1e9:,.1f} GB are free. Close other programs, or choose a "
            "smaller model: pplx-local models list"
        )


# --- what the networks hold --------------------------------------------------


def tensor_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name every tensor of a network, and its shape."""
    build = {"qwen3": _qwen3_shapes, "bert": _bert_shapes}[architecture.kind]
    return dict(build(architecture))


def _qwen3_shapes(a: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner = a.hidden_size, a.intermediate_size
    queries, keys = a.n_heads * a.head_dim, a.n_kv_heads * a.head_dim
    yield "embed_tokens.weight", (a.vocab_size, hidden)
    yield "norm.weight", (hidden,)
    layer = {
        "input_layernorm": (hidden,),
        "post_attention_layernorm": (hidden,),
        "self_attn.q_proj": (queries, hidden),
        "self_attn.k_proj": (keys, hidden),
        "self_attn.v_proj": (keys, hidden),
        "self_attn.o_proj": (hidden, queries),
        "self_attn.q_norm": (a.head_dim,),
        "self_attn.k_norm": (a.head_dim,),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    for index in range(a.n_layers):
        for name, shape in layer.items():
            yield f"layers.{index}.{name}.weight", shape


def _bert_shapes(a: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner = a.hidden_size, a.intermediate_size
    yield "embeddings.word_embeddings.weight", (a.vocab_size, hidden)
    yield "embeddings.position_embeddings.weight", (a.max_positions, hidden)
    yield "embeddings.token_type_embeddings.weight", (a.n_token_types, hidden)
    yield "embeddings.LayerNorm.weight", (hidden,)
    yield "embeddings.LayerNorm.bias", (hidden,)
    layer = {
        "attention.self.query": (hidden, hidden),
        "attention.self.key": (hidden, hidden),
        "attention.self.value": (hidden, hidden),
        "attention.output.dense": (hidden, hidden),
        "attention.output.LayerNorm": (hidden,),
        "intermediate.dense": (inner, hidden),
        "output.dense": (hidden, inner),
        "output.LayerNorm": (hidden,),
    }
    for index in range(a.n_layers):
        for name, shape in layer.items():
            yield f"encoder.layer.{index}.{name}.weight", shape
            yield f"encoder.layer.{index}.{name}.bias", shape[:1]
