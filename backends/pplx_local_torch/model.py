"""A checkpoint's folder to a transformers model, by rules and not by remote code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PreTrainedModel, Qwen3Config, Qwen3Model

from pplx_local.backend.architecture import Architecture, read_architecture
from pplx_local.backend.weights import (
    TensorPlace,
    locate,
    locate_head,
    require_memory,
)
from pplx_local.errors import ModelError
from pplx_local_torch.attention import NAME, Packing
from pplx_local_torch.steady import Steadiness, make_steady


class Network(nn.Module):
    """A transformers model, and the projection behind it where there is one."""

    def __init__(self, body: PreTrainedModel, head: nn.Linear | None) -> None:
        super().__init__()
        self.body, self.head = body, head
        self.steadiness = Steadiness()
        self._between: Callable[[], None] | None = None
        for layer in body.modules():
            if isinstance(layer, nn.Linear):
                layer.register_forward_pre_hook(self._pause)

    @contextmanager
    def passes(
        self, *, steady: bool, between: Callable[[], None] | None
    ) -> Iterator[None]:
        """Say how to run what follows; before, and behind, others may be under way.

        Args:
            steady: Whether the same bits are wanted in any company.
            between: Called before each product of a pass; it may run passes itself.
        """
        before = self.steadiness.on, self._between
        self.steadiness.on, self._between = steady, between
        try:
            yield
        finally:
            self.steadiness.on, self._between = before

    def forward(self, ids: Tensor, positions: Tensor, packing: Packing) -> Tensor:
        """Run packed windows, ids and positions (T,): last states (T, hidden)."""
        inputs = {"input_ids": ids[None], "position_ids": positions[None]}
        if isinstance(self.body, BertModel):
            inputs["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
        output = self.body(**inputs, packing=packing)
        states: Tensor = output.last_hidden_state[0]
        return states

    def _pause(self, *unused: Any) -> None:
        if self._between:
            self._between()

    def project(self, states: Tensor) -> Tensor:
        """Turn states (T, hidden) into token states (T, token_dim).

        In float32: the projection is small, and it ends in few dimensions.
        """
        return self.head(states.float()) if self.head else states


def load_model(
    model_dir: Path, device: torch.device, dtype: torch.dtype
) -> tuple[Network, Architecture]:
    """Load weights, all of them and nothing else, straight to the device.

    One tensor after the other: no second copy, in float32 or otherwise, is made.

    Raises:
        ModelError: config.json or the weights are missing, damaged, or of an
            architecture that is not known.
        BackendUnavailable: They do not fit the memory of the device.
    """
    architecture = read_architecture(model_dir)
    places = locate(model_dir, architecture)
    _require_memory(places.values(), device, dtype, model_dir)
    body = _empty(architecture)
    body.load_state_dict(_tensors(places, device, dtype), assign=True, strict=True)
    _fill_buffers(body, device)
    head = None
    if architecture.head_size:
        place = locate_head(model_dir, architecture)
        n_out, n_in = place.shape
        head = nn.Linear(n_in, n_out, bias=False, device="meta")
        head.weight = nn.Parameter(_tensors({"": place}, device, torch.float32)[""])
    network = Network(body, head).eval().requires_grad_(False)
    if device.type == "cpu":
        network.steadiness = make_steady(network)
    return network, architecture


def _empty(architecture: Architecture) -> PreTrainedModel:
    """Build the network without weights."""
    a = architecture
    common = {
        "vocab_size": a.vocab_size,
        "hidden_size": a.hidden_size,
        "num_hidden_layers": a.n_layers,
        "num_attention_heads": a.n_heads,
        "intermediate_size": a.intermediate_size,
        "max_position_embeddings": a.max_positions,
        "attn_implementation": NAME,
    }
    with torch.device("meta"):
        if a.kind == "bert":
            config = BertConfig(
                **common, layer_norm_eps=a.norm_eps, type_vocab_size=a.n_token_types
            )
            return BertModel(config, add_pooling_layer=False)
        qwen3 = Qwen3Config(
            **common,
            num_key_value_heads=a.n_kv_heads,
            head_dim=a.head_dim,
            rms_norm_eps=a.norm_eps,
            rope_parameters={"rope_theta": a.rope_theta, "rope_type": "default"},
            use_cache=False,
            is_causal=False,
        )
        return Qwen3Model(qwen3)


def _fill_buffers(body: PreTrainedModel, device: torch.device) -> None:
    """Make the tensors that are computed and not loaded."""
    for name, buffer in list(body.named_buffers()):
        owner, _, attribute = name.rpartition(".")
        if buffer.is_meta and isinstance(body, Qwen3Model):
            rotary = type(body.rotary_emb)(config=body.config)
            body.rotary_emb = rotary.to(device)
            return
        # Positions and types, which are given with each call.
        empty = torch.empty(0, dtype=buffer.dtype, device=device)
        body.get_submodule(owner).register_buffer(attribute, empty, persistent=False)


def _tensors(
    places: dict[str, TensorPlace], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Read tensors, each brought to the type and the device before the next."""
    tensors = {}
    for path in {place.path for place in places.values()}:
        try:
            with safe_open(path, framework="pt") as file:
                for name, place in places.items():
                    if place.path == path:
                        tensor = file.get_tensor(place.key)
                        tensors[name] = tensor.to(device, dtype)
        except OSError as error:
            raise ModelError(f"Cannot read {path}: {error}.") from error
    return tensors


def _require_memory(
    places: Iterable[TensorPlace],
    device: torch.device,
    dtype: torch.dtype,
    model_dir: Path,
) -> None:
    n_elements = sum(place.n_elements for place in places)
    available = (
        torch.cuda.mem_get_info(device)[0]
        if device.type == "cuda"
        else psutil.virtual_memory().available
    )
    require_memory(n_elements, dtype.itemsize * 8, available, device.type, model_dir)
