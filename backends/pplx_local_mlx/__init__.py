"""The MLX backend: Metal on Apple Silicon, and MLX's CPU by the same code path."""

from pplx_local_mlx.backend import MlxBackend

__all__ = ["MlxBackend"]
