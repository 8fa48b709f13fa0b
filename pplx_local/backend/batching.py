"""What backends do alike when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pplx_local.errors import EncoderCrashed

LEAST_BATCH_TOKENS = 32
"""However little memory there is."""


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
