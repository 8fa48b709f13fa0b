"""A checkpoint's folder to a transformers model, by rules and not by remote code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import BertModel, PreTrainedModel
from transformers.utils import logging as transformers_logging

from pplx_local.errors import ModelError
from pplx_local_torch.steady import make_steady

_ARCHITECTURES: dict[str, type[PreTrainedModel]] = {"bert": BertModel}
"""By `model_type` in config.json."""
_UNUSED = ("pooler.",)
"""Weights in checkpoints that no vector of ours depends on."""


def load_model(
    model_dir: Path, device: torch.device, dtype: torch.dtype
) -> PreTrainedModel:
    """Load weights, all of them and nothing else.

    Raises:
        ModelError: config.json or the weights are missing, damaged, or of an
            architecture that is not known.
    """
    architecture = _architecture(model_dir)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model, report = architecture.from_pretrained(
            model_dir,
            dtype=dtype,
            attn_implementation="sdpa",
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            add_pooling_layer=False,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"Cannot load the weights in {model_dir}: {error}") from error
    _refuse_partial(model_dir, report)
    model = model.to(device).eval().requires_grad_(False)
    if device.type == "cpu":
        make_steady(model)
    return model


def _architecture(model_dir: Path) -> type[PreTrainedModel]:
    path = model_dir / "config.json"
    try:
        kind = json.loads(path.read_text(encoding="utf-8"))["model_type"]
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is no model's configuration: {error!r}.") from error
    if kind not in _ARCHITECTURES:
        raise ModelError(
            f"{path} is of the architecture {kind!r}, which the torch backend does not "
            f"know. Known: {', '.join(_ARCHITECTURES)}."
        )
    return _ARCHITECTURES[kind]


def _refuse_partial(model_dir: Path, report: dict[str, Any]) -> None:
    unused = [key for key in report["unexpected_keys"] if not key.startswith(_UNUSED)]
    wrong = [*report["missing_keys"], *unused, *report["mismatched_keys"]]
    if wrong:
        raise ModelError(
            f"The weights in {model_dir} do not fit their config.json: "
            f"{', '.join(map(str, wrong[:3]))} ({len(wrong)} in all)."
        )
