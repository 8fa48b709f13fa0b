"""What backends do alike: how much to take at once, what when memory runs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pplx_local.errors import EncoderCrashed

LEAST_BATCH_TOKENS = 32
"""However little memory there is."""
PASS_S = 0.05
"""A query that comes while documents are encoded waits for half of it on average."""
_FIRST_TOKENS = 1024
"""Of the first pass, when nothing is known yet."""


class Pace:
    """How many tokens to take at once, so that a pass takes its time and no more.

    A slow machine gets small passes, a busy one too; a window is never divided.

    Args:
        most: Tokens of a pass at most, for its memory.
        least: A pass of fewer would cost the same.
        pass_s: What a pass should take.
    """

    def __init__(
        self, most: int, *, least: int = LEAST_BATCH_TOKENS, pass_s: float = PASS_S
    ) -> None:
        self._most, self._least, self._pass_s = most, least, pass_s
        self._away_s = 0.0
        self.tokens = min(max(_FIRST_TOKENS, least), most)
        """To take at once, for now."""

    @contextmanager
    def timed(self, n_tokens: int) -> Iterator[None]:
        """Run a pass of so many tokens, and learn from it."""
        start, away_s = time.perf_counter(), self._away_s
        yield
        away_s = self._away_s - away_s
        self.note(n_tokens, time.perf_counter() - start - away_s)

    def apart(self, between: Callable[[], None] | None) -> Callable[[], None] | None:
        """Leave what happens between parts of a pass out of its time."""
        if between is None:
            return None

        def call() -> None:
            start = time.perf_counter()
            between()
            self._away_s += time.perf_counter() - start

        return call

    def note(self, n_tokens: int, seconds: float) -> None:
        """Learn from a pass; one that is far from full tells nothing."""
        if n_tokens * 2 < self.tokens:
            return
        wanted = int(n_tokens * self._pass_s / max(seconds, 1e-6))
        # In steps: one pass may be slow for reasons of its own.
        wanted = min(max(wanted, self.tokens // 2), self.tokens * 2)
        self.tokens = min(max(wanted, self._least), self._most)

    def take_less(self) -> None:
        """Halve the bound: there was not enough memory."""
        self._most = max(self._most // 2, LEAST_BATCH_TOKENS)
        self.tokens = min(self.tokens, self._most)


def in_halves(
    batch: Sequence[int],
    run: Callable[[Sequence[int]], None],
    is_out_of_memory: Callable[[BaseException], bool],
    halved: Callable[[], None],
) -> None:
    """Run a batch of windows; by halves where memory does not suffice.

    Args:
        batch: The numbers of the windows.
        run: Encodes the windows with these numbers.
        is_out_of_memory: Tells errors of that kind from all others.
        halved: Called after each failure: smaller batches are better from then on.

    Raises:
        MemoryError: A window by itself is too much.
    """
    try:
        run(batch)
        return
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise MemoryError from error
    # Outside the handler, which would keep the tensors of the failed try alive.
    halved()
    half = len(batch) // 2
    in_halves(batch[:half], run, is_out_of_memory, halved)
    in_halves(batch[half:], run, is_out_of_memory, halved)


def too_much(device: str, n_tokens: int) -> EncoderCrashed:
    """Say that not even one window can be encoded."""
    return EncoderCrashed(
        f"There is not enough memory on {device} to encode {n_tokens} tokens at once. "
        "Close other programs, or choose a smaller model or another device."
    )
