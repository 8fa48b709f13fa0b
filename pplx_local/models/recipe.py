"""From a checkpoint to what a backend and the store have to know of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path

from pplx_local.errors import ModelError
from pplx_local.models.catalogue import Checkpoint
from pplx_local.models.files import file_digest, weights_digest
from pplx_local.records import EncodingRecipe, Role, SpaceSpec
from pplx_local.window import WindowRule

HEAD_WEIGHTS = "1_Dense/model.safetensors"
"""Of the projection behind a late-interaction checkpoint."""


def recipe_of(checkpoint: Checkpoint, roles: Collection[Role]) -> EncodingRecipe:
    """Say how a backend makes the vectors of these roles."""
    return EncodingRecipe(
        dense="dense" in roles,
        late="late" in roles,
        quantizer=checkpoint.quantizer,
        bits_rule=checkpoint.bits_rule,
        token_encoding=checkpoint.token_encoding,
        token_pooling=checkpoint.token_pooling,
    )


def space_spec(checkpoint: Checkpoint, role: Role, model_dir: Path) -> SpaceSpec:
    """Describe the space of a checkpoint in a role.

    Args:
        checkpoint: Any of the catalogue.
        role: One that the checkpoint serves.
        model_dir: Where its files lie. Those whose digest the catalogue or the manifest
            knows are not read again: `verify` holds them to it before they are used.

    Raises:
        ModelError: The checkpoint does not serve the role, or a file is missing.
    """
    if role not in checkpoint.roles:
        raise ModelError(f"{checkpoint.title} makes no vectors for the {role} leg.")
    dense = role == "dense"
    rules = _shared_rules(checkpoint, model_dir)
    rules |= _dense_rules(checkpoint) if dense else _late_rules(checkpoint, model_dir)
    encoding = None if dense else checkpoint.token_encoding
    levels = 3 if dense and checkpoint.bits_rule == "three_thresholds" else 1
    dim = checkpoint.dim if dense else checkpoint.token_dim
    return SpaceSpec(
        role=role,
        checkpoint=checkpoint.name,
        rules=rules,
        fingerprint=_fingerprint(role, checkpoint.name, rules),
        dim=dim,
        n_bits=dim * levels,
        token_encoding=encoding,
    )


def _shared_rules(checkpoint: Checkpoint, model_dir: Path) -> dict[str, str]:
    return {
        "weights": weights_digest(checkpoint, model_dir),
        "tokenizer": file_digest(checkpoint, "tokenizer.json", model_dir),
        "windows": _canonical(_changed_fields(checkpoint.window_rule)),
    }


def _dense_rules(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        "dim": str(checkpoint.dim),
        "quantizer": checkpoint.quantizer,
        "bits": checkpoint.bits_rule,
    }


def _late_rules(checkpoint: Checkpoint, model_dir: Path) -> dict[str, str]:
    rules = {
        "dim": str(checkpoint.token_dim),
        "tokens": checkpoint.token_encoding,
    }
    if checkpoint.token_pooling > 1:
        rules["pooling"] = f"ward {checkpoint.token_pooling}"
    if "dense" not in checkpoint.roles:
        rules["shortlist"] = "mean of the tokens, three_thresholds"
    if HEAD_WEIGHTS in checkpoint.files:
        rules["head"] = file_digest(checkpoint, HEAD_WEIGHTS, model_dir)
    return rules


def _changed_fields(rule: WindowRule) -> Mapping[str, object]:
    """Leave out what has its default: a rule that is added later changes no space."""
    changed = {}
    for each in fields(rule):
        value = getattr(rule, each.name)
        if value != each.default:
            changed[each.name] = (
                sorted(value) if isinstance(value, frozenset) else value
            )
    return changed


def _fingerprint(role: Role, name: str, rules: Mapping[str, str]) -> str:
    content = {"role": role, "checkpoint": name, "rules": rules}
    return _short_digest(_canonical(content).encode())


def _canonical(content: Mapping[str, object]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _short_digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
