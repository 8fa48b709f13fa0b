"""The files that hold a checkpoint's weights: one, or several with an index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pplx_local.errors import ModelError

SINGLE: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
_SHARDS: Final = "model-*-of-*.safetensors"
_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def weight_files(model_dir: Path) -> list[Path]:
    """List the files of the weights: one, or the shards that the index names.

    Raises:
        ModelError: There are none, or the index cannot be read.
    """
    if (model_dir / INDEX).is_file():
        return _indexed(model_dir / INDEX)
    if (model_dir / SINGLE).is_file():
        return [model_dir / SINGLE]
    shards = sorted(model_dir.glob(_SHARDS))
    if shards:
        return shards
    raise ModelError(f"There are no weights in {model_dir}.{_about_pickles(model_dir)}")


def _indexed(index: Path) -> list[Path]:
    try:
        names = set(
            json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        )
        files = [index.parent / Path(name).name for name in sorted(names)]
    except OSError as error:
        raise ModelError(f"Cannot read {index}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{index} is no index of weights: {error!r}.") from error
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelError(f"{index} names {missing[0]}, which is not there.")
    return files


def _about_pickles(model_dir: Path) -> str:
    found = [path.name for pattern in _PICKLES for path in model_dir.glob(pattern)]
    if not found:
        return " They would be called model.safetensors."
    return (
        f" {found[0]} is a pickle, which can run any program when it is opened: it is "
        "never loaded. Take the checkpoint's safetensors."
    )
