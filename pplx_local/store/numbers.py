"""Device and inode numbers, which have 64 bits and no sign, in SQLite's integers."""

from __future__ import annotations


def signed(number: int) -> int:
    """Fit a number below 2**64 into a signed integer."""
    return number - (1 << 64) if number >= 1 << 63 else number


def unsigned(number: int) -> int:
    """Undo `signed`."""
    return number + (1 << 64) if number < 0 else number
