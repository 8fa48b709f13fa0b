"""The face of the backend: devices, precision, and what runs on them."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import psutil

from pplx_local.errors import BackendUnavailable
from pplx_local.records import EncodingRecipe, Scores, TokenVectors
from pplx_local_mlx.encoder import MlxEncoder
from pplx_local_mlx.maxsim import ResidentTokens
from pplx_local_mlx.network import load_network
from pplx_local_mlx.precision import Precision

_DEVICES = {"metal": mx.gpu, "cpu": mx.cpu}
_CACHE_BYTES = 512 << 20
"""Freed memory that is kept for the next layer; MLX itself would keep all of it."""


class MlxBackend:
    """A `pplx_local.backend.Backend`."""

    name = "mlx"

    def devices(self) -> list[str]:
        """Devices that work here, the best first."""
        return ["metal", "cpu"] if mx.metal.is_available() else ["cpu"]

    def load(
        self,
        model_dir: Path,
        recipe: EncodingRecipe,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_batch_tokens: int = 16_384,
    ) -> MlxEncoder:
        """Load a checkpoint."""
        name = self._device(device)
        on = _DEVICES[name]
        precision = Precision.of(dtype, on)
        mx.set_cache_limit(_CACHE_BYTES)
        with mx.stream(on):
            network, architecture = load_network(model_dir, precision)
        names = name, precision.name
        return MlxEncoder(network, architecture, recipe, on, names, max_batch_tokens)

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Scores:
        """Score chunks as `reference.maxsim` does."""
        return self.resident(docs).score_all(query, want_matches=want_matches)

    def resident(
        self, docs: TokenVectors, *, device: str | None = None
    ) -> ResidentTokens:
        """Keep codes on a device; None for the best."""
        return ResidentTokens(docs, _DEVICES[self._device(device)])

    def free_bytes(self, device: str) -> int:
        """Tell how much memory of a device nobody uses now."""
        available = psutil.virtual_memory().available
        if self._device(device) == "cpu":
            return available
        limit = int(mx.device_info(mx.gpu)["max_recommended_working_set_size"])
        return min(limit - mx.get_active_memory(), available)

    def _device(self, wanted: str | None) -> str:
        here = self.devices()
        chosen = wanted or here[0]
        if chosen not in here:
            raise BackendUnavailable(
                f"There is no device {wanted!r} here; mlx can use {', '.join(here)}. "
                "Choose another with --device, or `device` in config.toml."
            )
        return chosen
