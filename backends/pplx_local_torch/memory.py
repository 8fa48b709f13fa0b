"""What torch says when memory runs out."""

from __future__ import annotations

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Tell; torch has a class for it on CUDA alone."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "can't allocate memory" in str(error) or "out of memory" in str(error)
