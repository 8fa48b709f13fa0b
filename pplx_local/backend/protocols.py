"""What a backend has to be, and how one is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pplx_local.errors import BackendUnavailable
from pplx_local.records import (
    Encoded,
    EncodingRecipe,
    Nearest,
    Scores,
    TokenVectors,
    TokenWindow,
)

ENTRY_POINT_GROUP = "pplx_local.backends"


class Encoder(Protocol):
    """A checkpoint's weights on a device."""

    dim: int
    """D of the dense vectors."""
    token_dim: int
    """D of the token vectors."""
    device: str
    """Where it really runs: "cpu", "cuda:0", "mps", "metal"."""
    dtype: str
    """"bfloat16" or "float32"; "8bit" or "4bit" for quantised weights, whose states
    are bfloat16 where the device has it."""

    def encode(
        self,
        windows: Sequence[TokenWindow],
        *,
        between: Callable[[], None] | None = None,
    ) -> Encoded:
        """Run the windows and quantise on the device.

        Vectors come in the order of windows and spans; a window with `continues` adds
        to the last chunk of the one before. Neighbours in the call never change a
        vector: on CPU the codes are the same to the bit, on a GPU to 1e-3.

        Memory is bounded by batches inside, however many windows are given.

        Args:
            windows: Documents', or a query's.
            between: Called between forward passes at the least, and about every 50 ms
                where a pass can be interrupted or made so short. It may encode itself.
        """
        ...

    def memory_bytes(self) -> int:
        """Tell how much memory is taken.

        The most so far on a GPU; on a CPU what the whole process takes now.
        """
        ...


class Resident(Protocol):
    """Token codes kept on a device, scored by chunk index."""

    def maxsim(
        self, query: TokenVectors, chunks: Sequence[int] | NDArray[np.int64]
    ) -> Scores:
        """Score the chunks at these indices of what was made resident."""
        ...

    def best(self, query: TokenVectors, k: int) -> Nearest:
        """Find the k best of all chunks, by index; those without rows never."""
        ...


class Backend(Protocol):
    """An array framework."""

    name: str

    def devices(self) -> list[str]:
        """Devices that work here, the best first."""
        ...

    def load(
        self,
        model_dir: Path,
        recipe: EncodingRecipe,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_batch_tokens: int = 16_384,
    ) -> Encoder:
        """Load a checkpoint.

        Args:
            model_dir: A folder with config.json and safetensors.
            recipe: How hidden states become vectors.
            device: None for the best; a device that is not here is an error, never
                silently another one.
            dtype: None for bfloat16 where the device has it, else float32; one that
                the backend does not offer is an error.
            max_batch_tokens: Bound on padded tokens in one forward pass.

        Raises:
            BackendUnavailable: The device is not here, or has too little memory.
            ModelError: The folder does not hold what it should.
        """
        ...

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Scores:
        """Score chunks as `reference.maxsim` does: same order, values within 1e-3.

        Args:
            query: int8, one chunk.
            docs: The chunks, int8 or bits.
            want_matches: Also return the matched rows.
        """
        ...

    def resident(self, docs: TokenVectors, *, device: str | None = None) -> Resident:
        """Keep codes on a device; None for the best."""
        ...

    def free_bytes(self, device: str) -> int:
        """Tell how much memory of a device nobody uses now."""
        ...


def registered_backends() -> dict[str, EntryPoint]:
    """List the registered backends by name, importing none of them."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def open_backend(name: str) -> Backend:
    """Import one backend.

    Raises:
        BackendUnavailable: It is not registered, or its framework is not installed.
    """
    registered = registered_backends()
    if name not in registered:
        known = ", ".join(sorted(registered)) or "none; install pplx-local first"
        raise BackendUnavailable(f"No backend is called {name!r}. Registered: {known}.")
    try:
        factory = registered[name].load()
    except ImportError as error:
        raise BackendUnavailable(
            f"The backend {name!r} needs {error.name or 'a package'}, which is not "
            f"installed here. Install it with: pip install {error.name or name}"
        ) from error
    backend: Backend = factory()
    return backend
