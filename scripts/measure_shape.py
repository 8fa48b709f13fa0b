"""Time the true shape of a pplx-embed checkpoint, with random weights.

    python scripts/measure_shape.py [--tokens 3000] [--layers 28] [--rounds 1] TEXT...

The same texts through our encoder and through transformers as people run it (batches
of 16, sorted by length, padded to the longest), in one run, in float32 and bfloat16.
Prints tokens of text a second, the ratio, and the memory at its highest.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3Model

from pplx_local.backend.architecture import read_architecture
from pplx_local.backend.weights import tensor_shapes
from pplx_local.records import EncodingRecipe, Span, TokenWindow
from pplx_local_torch import TorchBackend

# Of the published 0.6b; the vocabulary is read but not multiplied with.
CONFIG: dict[str, Any] = {
    "model_type": "bidirectional_pplx_qwen3",
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 3072,
    "vocab_size": 151_936,
    "max_position_embeddings": 32_768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1_000_000,
    "hidden_act": "silu",
    "attention_bias": False,
    "use_bidirectional_attention": True,
}
BATCH = 16
Ids = NDArray[np.int32]


def write(folder: Path, layers: int) -> None:
    """Write random weights in float32, as they are published."""
    (folder / "config.json").write_text(
        json.dumps(CONFIG | {"num_hidden_layers": layers})
    )
    shapes = tensor_shapes(read_architecture(folder))
    tensors = {
        name: torch.ones(shape) if "norm" in name else torch.randn(shape) * 0.02
        for name, shape in shapes.items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def texts_of(paths: list[Path], n_tokens: int) -> list[Ids]:
    """Stand in for a tokenizer: an id per 4.4 characters, so that lengths are real."""
    random, texts = np.random.default_rng(0), []
    for path in paths:
        length = max(1, int(len(path.read_text(encoding="utf-8")) / 4.4))
        texts.append(random.integers(0, 151_000, length).astype(np.int32))
        n_tokens -= length
        if n_tokens <= 0:
            break
    return texts


def padded(folder: Path, dtype: torch.dtype) -> Callable[[list[Ids]], None]:
    """Run transformers' own Qwen3, non-causally, in padded batches."""
    config = json.loads((folder / "config.json").read_text())
    config.pop("model_type")
    model = Qwen3Model.from_pretrained(
        folder, config=Qwen3Config(**config, is_causal=False), dtype=dtype
    ).eval()

    @torch.inference_mode()
    def run(texts: list[Ids]) -> None:
        ordered = sorted(texts, key=len, reverse=True)
        for start in range(0, len(ordered), BATCH):
            batch = ordered[start : start + BATCH]
            ids = np.zeros((len(batch), len(batch[0])), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, text in enumerate(batch):
                ids[row, : len(text)], mask[row, : len(text)] = text, 1
            real = torch.from_numpy(mask)
            states = model(torch.from_numpy(ids), attention_mask=real).last_hidden_state
            kept = real[..., None].to(states.dtype)
            (states * kept).sum(1) / kept.sum(1)

    return run


def ours(folder: Path, dtype: str | None) -> tuple[str, Callable[[list[Ids]], None]]:
    """Run our encoder."""
    recipe = EncodingRecipe(True, False, "tanh", "sign")
    encoder = TorchBackend().load(folder, recipe, device="cpu", dtype=dtype)

    def run(texts: list[Ids]) -> None:
        encoder.encode([_window(ids) for ids in texts])

    return encoder.dtype, run


def _window(ids: Ids) -> TokenWindow:
    nothing = np.zeros(len(ids), dtype=np.bool_)
    positions = np.arange(len(ids), dtype=np.int32)
    return TokenWindow(ids, (Span(0, len(ids)),), nothing, positions)


def _rate(run: Callable[[list[Ids]], None], texts: list[Ids]) -> float:
    run(texts[:1])
    start = time.perf_counter()
    run(texts)
    return sum(map(len, texts)) / (time.perf_counter() - start)


def _runs(folder: Path) -> Iterator[tuple[str, Callable[[list[Ids]], None]]]:
    default, _ = ours(folder, None)
    for dtype in ("float32", "bfloat16"):
        here = " (the default here)" if dtype == default else ""
        yield f"ours, {dtype}{here}", ours(folder, dtype)[1]
        yield f"transformers, padded, {dtype}", padded(folder, getattr(torch, dtype))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--tokens", type=int, default=3000)
    parser.add_argument("--layers", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    texts = texts_of(given.texts, given.tokens)
    print(f"{len(texts)} texts, {sum(map(len, texts)):,} tokens")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, given.layers)
        runs = dict(_runs(folder))
        # In turn, and the best of each: other programs disturb all of them alike.
        rounds = [
            {what: _rate(run, texts) for what, run in runs.items()}
            for _ in range(given.rounds)
        ]
    rates = {what: max(one[what] for one in rounds) for what in runs}
    against = rates["transformers, padded, bfloat16"]
    for what, rate in rates.items():
        print(f"{what:<40} {rate:8.1f} tokens/s  {rate / against:6.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{peak:.2f} GB of memory at the highest, mapped files counted")


if __name__ == "__main__":
    main()
