"""The torch backend: CPU, CUDA and MPS by one code path."""

from pplx_local_torch.backend import TorchBackend

__all__ = ["TorchBackend"]
