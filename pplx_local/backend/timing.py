"""What a backend measures of a device, for `bench` to put beside one another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

Unit = Literal["copy", "int8", "bfloat16"]


class Workload(NamedTuple):
    """MaxSim of one query with many chunks of one length."""

    n_chunks: int = 1_000_000
    n_tokens: int = 128
    n_query: int = 32
    dim: int = 128


class Timing(NamedTuple):
    """One piece of work on a device."""

    what: str
    ms: float | None
    """The median; None where it could not be done, and `what` says why."""
    n_bytes: int
    """That have to be read and written, however it is done."""
    n_operations: int
    """Multiplications and additions, counted each."""
    unit: Unit
    """What computes it: its rate bounds it, or that of copies does."""
    against: str | None = None
    """`what` of the timing that it is compared with."""


class Measurable(Protocol):
    """A backend that can tell how near to the limits of a device it comes."""

    def device_name(self, device: str) -> str:
        """Name the card and the versions of what computes there."""
        ...

    def measure_maxsim(self, device: str, work: Workload) -> Iterator[Timing]:
        """Time copies and products first, then each kernel beside its rivals."""
        ...

    def measure_stock(
        self, model_dir: Path, device: str, lengths: list[int], max_batch_tokens: int
    ) -> float:
        """Time a checkpoint by transformers with SDPA, padded: seconds.

        Args:
            model_dir: Of the checkpoint.
            device: Where it runs.
            lengths: Tokens of each window.
            max_batch_tokens: Of a batch, padding counted.
        """
        ...
