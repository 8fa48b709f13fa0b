"""A checkpoint by transformers alone, as others run it: padded batches and SDPA."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from transformers import BertModel, PreTrainedModel

from pplx_local_torch.model import load_model

_WARM_UPS = 3
_FIRST_ID = 10
"""Of some token that every vocabulary has."""


@torch.inference_mode()
def seconds_of(
    model_dir: Path,
    device: torch.device,
    dtype: torch.dtype,
    lengths: list[int],
    max_batch_tokens: int,
) -> float:
    """Run windows of these lengths, the longest first; give the seconds it takes."""
    body = stock_body(model_dir, device, dtype)
    batches = list(_batches(lengths, max_batch_tokens))
    for batch in batches[:_WARM_UPS]:
        run_padded(body, *padded(batch, device))
    _wait(device)
    started = time.perf_counter()
    for batch in batches:
        run_padded(body, *padded(batch, device))
    _wait(device)
    return time.perf_counter() - started


def stock_body(
    model_dir: Path, device: torch.device, dtype: torch.dtype
) -> PreTrainedModel:
    """Load a checkpoint with the attention that transformers brings."""
    body = load_model(model_dir, device, dtype)[0].body
    body.set_attn_implementation("sdpa")
    for layer in body.modules():
        if hasattr(layer, "is_causal"):
            layer.is_causal = False
    return body


def padded(lengths: list[int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Make up ids and the mask of a batch: (B, longest) each."""
    longest = torch.arange(max(lengths), device=device)
    mask = (longest < torch.tensor(lengths, device=device)[:, None]).long()
    return mask * _FIRST_ID, mask


def run_padded(body: PreTrainedModel, ids: Tensor, mask: Tensor) -> Tensor:
    """Run ids with their mask, (B, T) each: last states (B, T, hidden)."""
    inputs = {"input_ids": ids, "attention_mask": mask}
    inputs["position_ids"] = torch.arange(ids.shape[1], device=ids.device)[None]
    if isinstance(body, BertModel):
        inputs["token_type_ids"] = torch.zeros_like(ids)
    states: Tensor = body(**inputs).last_hidden_state
    return states


def _batches(lengths: list[int], max_tokens: int) -> Iterator[list[int]]:
    """Fill batches with neighbours in length, padding counted."""
    batch: list[int] = []
    for length in sorted(lengths, reverse=True):
        if batch and batch[0] * (len(batch) + 1) > max_tokens:
            yield batch
            batch = []
        batch.append(length)
    if batch:
        yield batch


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
