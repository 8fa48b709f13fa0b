"""Tiny random checkpoints, with the configuration and the tensor names of true ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["dense", "context", "late"]
States = Callable[[NDArray[np.int32]], NDArray[np.float32]]

BERT_DIM = 32
HIDDEN, TOKEN_DIM = 64, 32
SEPARATOR, MASK = 151_643, 151_642
QUERY_PREFIX, DOCUMENT_PREFIX = 151_669, 151_670
VOCABULARY = {"dense": 600, "context": 151_936, "late": 151_671}
"""Rows of the embedding: the true number where an id must be true."""

# As published for context-v1-0.6b and late-0.6b, with other sizes; where theta stands
# differs between the published files.
_SHARED: dict[str, Any] = {
    "architectures": ["PPLXQwen3Model"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 151643,
    "dtype": "float32",
    "eos_token_id": 151643,
    "head_dim": 32,  # not hidden_size / num_attention_heads
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": 96,
    "layer_types": ["full_attention"] * 2,
    "max_position_embeddings": 32768,
    "max_window_layers": 2,
    "model_type": "bidirectional_pplx_qwen3",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "sliding_window": None,
    "tie_word_embeddings": True,
    "use_bidirectional_attention": True,
    "use_cache": False,
    "use_sliding_window": False,
}
_THETA = 1_000_000
_NESTED = {"rope_theta": _THETA, "rope_type": "default"}
_OF_KIND: dict[Kind, dict[str, Any]] = {
    "dense": {"rope_theta": _THETA},
    "context": {"rope_parameters": _NESTED, "attn_implementation": "sdpa"},
    "late": {"rope_parameters": _NESTED, "rope_theta": _THETA, "rope_scaling": None},
}
_AUTO_MODEL = {"context": "modeling.PPLXQwen3ContextualModel"}


def config_of(kind: Kind, **changes: Any) -> dict[str, Any]:
    """The published configuration of a kind, in tiny sizes."""
    auto = _AUTO_MODEL.get(kind, "modeling.PPLXQwen3Model")
    maps = {"AutoConfig": "configuration.PPLXQwen3Config", "AutoModel": auto}
    sizes = {"vocab_size": VOCABULARY[kind], "auto_map": maps}
    return _SHARED | _OF_KIND[kind] | sizes | changes


def write_bert(folder: Path) -> Path:
    """A BERT of two layers."""
    import torch
    import transformers

    config = transformers.BertConfig(
        vocab_size=100,
        hidden_size=BERT_DIM,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.15,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def write_qwen3(folder: Path, kind: Kind, **changes: Any) -> Path:
    """A bidirectional Qwen3 of two layers, its norms random too."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(kind, **changes)
    (folder / "config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    tensors = {
        name: torch.rand(shape) + 0.5 if "norm" in name else torch.randn(shape) * 0.15
        for name, shape in _stock_shapes(config).items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    if kind == "late":
        head = folder / "1_Dense"
        head.mkdir()
        (head / "config.json").write_text(json.dumps(_HEAD))
        weight = torch.randn(TOKEN_DIM, HIDDEN) * 0.1
        save_file({"linear.weight": weight}, head / "model.safetensors")
    return folder


_HEAD = {
    "in_features": HIDDEN,
    "out_features": TOKEN_DIM,
    "bias": False,
    "activation_function": "torch.nn.modules.linear.Identity",
}


def _stock_shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes by transformers, which knows nothing of our list."""
    import torch

    with torch.device("meta"):
        model = _stock_model(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _stock_model(config: dict[str, Any]) -> Any:
    from transformers import Qwen3Config, Qwen3Model

    ours = {"model_type", "auto_map", "architectures", "attn_implementation"}
    fields = {key: value for key, value in config.items() if key not in ours}
    fields["rope_parameters"] = _NESTED
    model = Qwen3Model(Qwen3Config(**fields, attn_implementation="sdpa"))
    model.config.is_causal = False
    for layer in model.layers:
        layer.self_attn.is_causal = False
    return model


def stock_states(folder: Path) -> States:
    """Token states (T, hidden) in float32 by transformers alone, one text at a time."""
    import torch

    model = _stock(folder)

    def states(ids: NDArray[np.int32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            output = model(input_ids=torch.from_numpy(ids.astype(np.int64))[None])
        hidden: NDArray[np.float32] = output.last_hidden_state[0].numpy()
        return hidden

    return states


def stock_token_states(folder: Path) -> States:
    """The same behind the projection of a late checkpoint: (T, TOKEN_DIM)."""
    from safetensors.numpy import load_file

    states = stock_states(folder)
    weight = load_file(folder / "1_Dense" / "model.safetensors")["linear.weight"]
    return lambda ids: states(ids) @ weight.T


def _stock(folder: Path) -> Any:
    import torch
    from safetensors.torch import load_file
    from transformers import BertModel

    config = json.loads((folder / "config.json").read_text())
    if config["model_type"] == "bert":
        return BertModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager"
        ).eval()
    model = _stock_model(config)
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
    return model.eval()


# --- a tokenizer with the true special ids -----------------------------------

_TRAINING = (
    "The tenant shall give notice three months before the end of a quarter. "
    "Glaciers carve valleys into a U shape, while rivers cut narrower ones; "
    "what motivates scientific discovery is curiosity about the world. "
)


@cache
def tokenizer_json() -> str:
    """A byte-level BPE in Qwen's layout: bytes first, special tokens at their ids."""
    from tokenizers import (
        AddedToken,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )

    alphabet = _byte_alphabet()
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet)
    trained.train_from_iterator([_TRAINING], trainer)
    merges = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
    words = list(dict.fromkeys([*alphabet, *("".join(pair) for pair in merges)]))
    words += [f"<unused {n}>" for n in range(len(words), SEPARATOR)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", *(f"<|special {n}|>" for n in range(25))]
    tokenizer.add_special_tokens(
        [AddedToken(text, normalized=False) for text in special]
    )
    tokenizer.add_tokens(
        [AddedToken(text, normalized=False) for text in ("[Q] ", "[D] ")]
    )
    # As published for late-0.6b: truncation and padding are baked in.
    tokenizer.enable_truncation(511)
    tokenizer.enable_padding(pad_id=SEPARATOR, pad_token="<|endoftext|>")
    return tokenizer.to_str()


def _byte_alphabet() -> list[str]:
    """The 256 byte symbols in GPT-2's order: printable ones first, "!" is 0."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [chr(256 + n) for n in range(256 - len(printable))]
    return [*map(chr, printable), *others]


def write_tokenizer(folder: Path) -> None:
    """Write `tokenizer.json`, and what transformers wants beside it."""
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "mask_token": f"<unused {MASK}>",
        "model_max_length": 131072,
        "padding_side": "right",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
