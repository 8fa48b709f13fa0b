"""Compute the mean token vector of a checkpoint, which its space in bits is centred by.

    python scripts/make_token_mean.py FOLDER... --out pplx_local/models/data/NAME.mean.npy

Reads text and Markdown files below the folders, samples passages of 200 words with a
seed, and averages the unit-length token vectors, special tokens left out, in fp32.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel

from pplx_local.models import STARTER, Checkpoint, find, load_tokenizer, verify
from pplx_local.records import TokenWindow
from pplx_local.window import plan

SUFFIXES = {".txt", ".md", ".markdown", ".rst", ".org", ".tex"}
WORDS_IN_PASSAGE = 200
PASSAGES_OF_ONE_FILE = 3


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--passages", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    texts = sample(options.folders, options.passages, options.seed)
    mean, n_tokens = token_mean(STARTER, texts)
    np.save(options.out, mean)
    print(
        f"{options.out}: {n_tokens:,} tokens of {len(texts):,} passages, "
        f"length of the mean {np.linalg.norm(mean):.4f}"
    )


def sample(folders: list[Path], n_passages: int, seed: int) -> list[str]:
    """Take passages at random, few of one file, so that no long book decides."""
    chance = random.Random(seed)
    chosen: list[str] = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found = passages(path)
                chosen += chance.sample(found, min(PASSAGES_OF_ONE_FILE, len(found)))
    chance.shuffle(chosen)
    return chosen[:n_passages]


def passages(path: Path) -> list[str]:
    """Cut a file into runs of 200 words."""
    words = path.read_text(encoding="utf-8", errors="ignore").split()
    starts = range(0, len(words), WORDS_IN_PASSAGE)
    return [" ".join(words[start : start + WORDS_IN_PASSAGE]) for start in starts]


def token_mean(
    checkpoint: Checkpoint, texts: list[str]
) -> tuple[NDArray[np.float32], int]:
    """Average the unit token vectors of texts: (D,), and how many there were."""
    model_dir = find(checkpoint)
    if model_dir is None:
        raise SystemExit(f"{checkpoint.title} is not here. {checkpoint.install}")
    verify(checkpoint, model_dir)
    model = AutoModel.from_pretrained(model_dir, dtype=torch.float32).eval()
    plans = plan(texts, load_tokenizer(model_dir), checkpoint.window_rule)
    total, n_tokens = torch.zeros(checkpoint.token_dim, dtype=torch.float64), 0
    for window in (window for one in plans for window in one.windows):
        vectors = unit_vectors(model, window)
        total += vectors.sum(dim=0)
        n_tokens += len(vectors)
    return (total / n_tokens).numpy().astype(np.float32), n_tokens


@torch.inference_mode()
def unit_vectors(model: torch.nn.Module, window: TokenWindow) -> torch.Tensor:
    """Encode one window; rows of special tokens are left out: (T, D) float64."""
    ids = torch.from_numpy(window.token_ids).long()[None]
    hidden = model(input_ids=ids).last_hidden_state[0]  # (T, D)
    rows = hidden[torch.from_numpy(window.positions >= 0)]
    return torch.nn.functional.normalize(rows, dim=-1).double()


if __name__ == "__main__":
    main()
