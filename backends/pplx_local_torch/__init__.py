"""The torch backend: CPU, CUDA and MPS by one code path."""

import os

# Products in bfloat16 on a CPU are compiled for each number of rows, and 1,024 of them
# kept: up to 500 MB. With few kept, encoding is as quick. Read at the first product.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "24")

from pplx_local_torch.backend import TorchBackend

__all__ = ["TorchBackend"]
