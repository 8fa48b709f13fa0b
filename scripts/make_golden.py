"""Compute the starter's golden figures by transformers alone, in float32.

    python scripts/make_golden.py > pplx_local/models/data/golden/all-minilm-l6-v2.json

Neither our windows nor our backends nor our tokenizer have a part in it, so that `models
check` compares two ways. The other checkpoints' figures were published by others.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModel

from pplx_local.models import STARTER, find, verify

SOURCE = (
    f"scripts/make_golden.py: transformers {transformers.__version__}, tokenizers "
    f"{tokenizers.__version__}, torch {torch.__version__}, CPU float32"
)
QUERY = "What motivates scientific discovery?"
TEXTS = [
    "Scientists explore the universe driven by curiosity.",
    "Children learn through curious exploration.",
    "Glaciers carve valleys into a U shape, while rivers cut narrower V-shaped ones.",
]
_FIRST, _LAST = 101, 102  # [CLS] and [SEP]


def main() -> None:
    """Print the golden file."""
    model_dir = find(STARTER)
    if model_dir is None:
        raise SystemExit(f"{STARTER.title} is not here. {STARTER.install}")
    verify(STARTER, model_dir)
    tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = AutoModel.from_pretrained(model_dir, dtype=torch.float32).eval()
    states = partial(token_states, tokenizer, model)
    figures = [*ids(tokenizer), *vectors(states), geometry(model)]
    print(in_lines({"checkpoint": STARTER.name, "measures": figures}))


def token_states(tokenizer: Tokenizer, model: Any, text: str) -> NDArray[np.float32]:
    """Give the last states of a text, [CLS] and [SEP] too: (T, D)."""
    ids = torch.tensor([tokenizer.encode(text).ids])
    with torch.inference_mode():
        states: NDArray[np.float32] = model(input_ids=ids).last_hidden_state[0].numpy()
    return states


def geometry(model: Any) -> dict[str, Any]:
    """Count what is loaded; the pooler is not."""
    tensors = {n: t for n, t in model.state_dict().items() if "pooler" not in n}
    config = model.config
    expected = {
        "hidden_size": config.hidden_size,
        "n_layers": config.num_hidden_layers,
        "n_heads": config.num_attention_heads,
        "intermediate_size": config.intermediate_size,
        "vocab_size": config.vocab_size,
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
    }
    return {"kind": "geometry", "source": SOURCE, "expected": expected}


def ids(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """Token ids, [CLS] and [SEP] not scored."""
    found = []
    for kind, key, text in (("query ids", "query", QUERY), ("ids", "texts", TEXTS[2])):
        numbers = tokenizer.encode(text).ids
        assert (numbers[0], numbers[-1]) == (_FIRST, _LAST)
        figure = {
            "kind": kind,
            "source": SOURCE,
            key: text if key == "query" else [text],
        }
        kept = list(range(1, len(numbers) - 1))
        found.append({**figure, "expected": numbers, "kept": kept})
    return found


def vectors(states: Any) -> list[dict[str, Any]]:
    """Mean vectors as codes, cosines and MaxSim."""
    query, texts = states(QUERY), [states(text) for text in TEXTS]
    means = [text.mean(axis=0) for text in texts]
    shared = {"source": SOURCE, "query": QUERY, "texts": TEXTS}
    cosines = [cosine(query.mean(axis=0), mean) for mean in means]
    scores = [maxsim(query[1:-1], text[1:-1]) for text in texts]
    return [
        {"kind": "codes", "source": SOURCE, "texts": [text], "expected": [codes(mean)]}
        for text, mean in zip(TEXTS, means, strict=True)
    ] + [
        {"kind": "cosines", **shared, "expected": rounded(cosines)},
        {"kind": "maxsim", **shared, "expected": rounded(scores)},
    ]


def codes(mean: NDArray[np.float32]) -> list[int]:
    """Scale a vector so that its largest part is 127."""
    return np.rint(mean * (127 / np.abs(mean).max())).astype(int).tolist()


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Compare two vectors."""
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def maxsim(query: NDArray[np.float32], text: NDArray[np.float32]) -> float:
    """Sum the best cosine of each of the query's tokens."""
    units = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (query, text)]
    return float((units[0] @ units[1].T).max(axis=1).sum())


def rounded(values: list[float]) -> list[float]:
    """Keep what a reader can compare."""
    return [round(value, 6) for value in values]


def in_lines(content: dict[str, Any]) -> str:
    """Write JSON with each list of numbers on a line of its own."""
    measures = ",\n".join(
        "  {\n" + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in m.items())
        + "\n  }"
        for m in content["measures"]
    )  # fmt: skip
    name = json.dumps(content["checkpoint"])
    return f'{{\n "checkpoint": {name},\n "measures": [\n{measures}\n ]\n}}'


if __name__ == "__main__":
    main()
