"""Which files are a checkpoint's, and whether they are those of the one that is meant."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from pplx_local.backend.architecture import (
    DENSE_HEAD,
    Architecture,
    read_architecture,
)
from pplx_local.backend.files import INDEX, SINGLE
from pplx_local.backend.weights import locate, locate_head
from pplx_local.errors import ModelError
from pplx_local.models import Checkpoint

_SHARDS: Final = "model-*-of-*.safetensors"
_WANTED: Final = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "config_sentence_transformers.json",
    f"{DENSE_HEAD}/config.json",
    f"{DENSE_HEAD}/{SINGLE}",
    SINGLE,
    INDEX,
    _SHARDS,
)
"""Configuration, tokenizer and weights. Never a program, nor what could run one."""
_PICKLES: Final = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}


def wanted(names: Collection[str]) -> list[str]:
    """Choose from the paths of a repository those that are needed."""
    chosen = [name for name in names if any(_fits(name, one) for one in _WANTED)]
    if INDEX in chosen:  # the loader follows it, so that a single file is not needed
        return [name for name in chosen if name != SINGLE]
    if SINGLE in chosen:
        return [name for name in chosen if not _fits(name, _SHARDS)]
    return chosen


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")


def is_weights(name: str) -> bool:
    """Tell the large files from those that say what the large ones are."""
    return name.endswith(".safetensors")


def require_parts(
    checkpoint: Checkpoint, names: Collection[str], where: str | Path
) -> None:
    """Refuse a repository or folder that lacks a part.

    Raises:
        ModelError: One is missing, or the weights are a pickle.
    """
    missing = [name for name in checkpoint.files if name not in names]
    if missing:
        raise ModelError(
            f"{where} is not all of {checkpoint.title}: {missing[0]} is missing."
        )
    if any(is_weights(name) and "/" not in name for name in names):
        return
    pickles = [name for name in names if PurePosixPath(name).suffix in _PICKLES]
    if pickles:
        raise ModelError(
            f"{where} has its weights only as a pickle ({pickles[0]}), which can run any "
            "program when it is opened: it is never loaded. Take a revision with "
            "model.safetensors."
        )
    raise ModelError(f"{where} holds no weights: no model.safetensors is there.")


def require_geometry(checkpoint: Checkpoint, model_dir: Path) -> Architecture:
    """Refuse a network that cannot be run, or is not of the checkpoint's size.

    Needs the configuration only, so that it can be asked before gigabytes are fetched.

    Raises:
        ModelError: It is another one.
    """
    architecture = read_architecture(model_dir)
    if not has_sizes_of(checkpoint, architecture):
        raise ModelError(
            f"{model_dir / 'config.json'} is not that of {checkpoint.title}: vectors "
            f"of {architecture.hidden_size:,} dimensions"
            f"{_head_in_words(architecture)}, not {checkpoint.dim:,}"
            f"{f' and {checkpoint.token_dim:,}' if checkpoint.token_dim else ''}."
        )
    return architecture


def has_sizes_of(checkpoint: Checkpoint, architecture: Architecture) -> bool:
    """Tell whether a network makes vectors of a checkpoint's sizes."""
    token_dim = architecture.token_dim if "late" in checkpoint.roles else 0
    sizes = architecture.hidden_size, token_dim
    return sizes == (checkpoint.dim, checkpoint.token_dim)


def _head_in_words(architecture: Architecture) -> str:
    return f" and {architecture.head_size:,}" if architecture.head_size else ""


def require_tensors(model_dir: Path, architecture: Architecture) -> None:
    """Refuse weights that are damaged or do not fit; only headers are read.

    Raises:
        ModelError: As `locate`.
    """
    locate(model_dir, architecture)
    if architecture.head_size:
        locate_head(model_dir, architecture)
