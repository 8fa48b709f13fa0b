"""The face of the backend: devices, precision, and what runs on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import torch

from pplx_local.backend.timing import Timing, Workload
from pplx_local.errors import BackendUnavailable
from pplx_local.records import EncodingRecipe, Scores, TokenVectors
from pplx_local_torch.maxsim import ResidentTokens
from pplx_local_torch.memory import is_out_of_memory

if TYPE_CHECKING:
    from pplx_local_torch.encoder import TorchEncoder

_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


class TorchBackend:
    """A `pplx_local.backend.Backend`."""

    name = "torch"

    def devices(self) -> list[str]:
        """Devices that work here, the best first."""
        cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        mps = ["mps"] if torch.backends.mps.is_available() else []
        return [*cuda, *mps, "cpu"]

    def load(
        self,
        model_dir: Path,
        recipe: EncodingRecipe,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_batch_tokens: int = 16_384,
    ) -> TorchEncoder:
        """Load a checkpoint."""
        # transformers is heavy, and not needed to score.
        from pplx_local_torch.encoder import TorchEncoder
        from pplx_local_torch.model import load_model

        on = self._begin_on(device)
        precision = _DTYPES[self._dtype(on, dtype)]
        network, architecture = load_model(model_dir, on, precision)
        return TorchEncoder(network, architecture, recipe, max_batch_tokens)

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Scores:
        """Score chunks as `reference.maxsim` does."""
        # Codes that lie in the host's memory are scored there sooner than copied.
        docs_here = ResidentTokens(docs, torch.device("cpu"))
        return docs_here.score_all(query, want_matches=want_matches)

    def resident(
        self, docs: TokenVectors, *, device: str | None = None
    ) -> ResidentTokens:
        """Keep codes on a device; None for the best.

        Raises:
            BackendUnavailable: The device is not here, or has too little memory.
        """
        on = self._begin_on(device)
        try:
            return ResidentTokens(docs, on)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise BackendUnavailable(
                f"There is no room on {on} for {docs.codes.nbytes / 1e9:.2f} GB of "
                "token vectors more. Set `exhaustive` to false in config.toml, or "
                "choose a device with more memory."
            ) from error

    def free_bytes(self, device: str) -> int:
        """Tell how much memory of a device nobody uses now."""
        on = torch.device(self._device(device))
        if on.type == "cuda":
            torch.cuda.empty_cache()  # else what torch let go would count as taken
            return torch.cuda.mem_get_info(on)[0]
        if on.type == "mps":
            taken = torch.mps.driver_allocated_memory()
            return torch.mps.recommended_max_memory() - taken
        return psutil.virtual_memory().available

    def device_name(self, device: str) -> str:
        """Name the card and the versions of what computes there."""
        if not device.startswith("cuda"):
            return f"{device}, torch {torch.__version__}"
        card = torch.cuda.get_device_name(torch.device(device))
        return f"{card}, torch {torch.__version__}, CUDA {torch.version.cuda}"

    def measure_maxsim(self, device: str, work: Workload) -> Iterator[Timing]:
        """Time copies and products first, then each kernel beside its rivals."""
        from pplx_local_torch.speed import measure_maxsim

        return measure_maxsim(self._begin_on(device), work)

    def measure_stock(
        self, model_dir: Path, device: str, lengths: list[int], max_batch_tokens: int
    ) -> float:
        """Time a checkpoint by transformers with SDPA, padded: seconds."""
        from pplx_local_torch.stock import seconds_of

        on = self._begin_on(device)
        precision = _DTYPES[self._dtype(on, None)]
        return seconds_of(model_dir, on, precision, lengths, max_batch_tokens)

    def _begin_on(self, wanted: str | None) -> torch.device:
        """Choose a device, and launch there what names none: Triton's kernels, graphs."""
        on = torch.device(self._device(wanted))
        if on.type == "cuda":
            torch.cuda.set_device(on)
        return on

    def _device(self, wanted: str | None) -> str:
        here = self.devices()
        if wanted is None:
            return here[0]
        chosen = "cuda:0" if wanted == "cuda" else wanted
        if chosen not in here:
            raise BackendUnavailable(
                f"There is no device {wanted!r} here; torch can use "
                f"{', '.join(here)}. Choose another with --device, or `device` in config.toml."
            )
        return chosen

    def _dtype(self, device: torch.device, wanted: str | None) -> str:
        if wanted is None:
            return "bfloat16" if _has_bfloat16(device) else "float32"
        if wanted not in _DTYPES:
            raise BackendUnavailable(
                f"The precision {wanted!r} is not offered by torch (float16 gives NaNs, "
                f"8bit and 4bit need the backend mlx); choose {' or '.join(_DTYPES)}. "
                "Change `dtype` in config.toml."
            )
        return wanted


def _has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16, rather than emulates it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "mps":
        return torch.backends.mps.is_macos_or_newer(14, 0)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
