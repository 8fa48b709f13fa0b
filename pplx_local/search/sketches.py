"""Which of many passages another one may be a copy of, without comparing their words.

For a thousand hits some three thousand passages are each compared with all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pplx_local.search.alike import ALIKE, Passage

_N_BITS = 2048
"""A passage has some hundred shingles, of which few should share a bit."""
FEW = 32
"""Passages that are sooner compared than sketched."""


class _Sketch(NamedTuple):
    bits: NDArray[np.uint64]
    """(B,) One bit for each shingle, by its hash."""
    numbers: int
    """Hash of its numbers."""
    n_shingles: int
    n_hidden: int
    """Shingles without a bit of their own."""


class Sketches:
    """Passages, numbered as they come."""

    def __init__(self) -> None:
        """Begin with none."""
        self._passages: list[Passage] = []
        self._n = 0
        """Of the passages that have a sketch by now."""
        self._bits = np.zeros((FEW, _N_BITS // 64), dtype=np.uint64)
        self._facts = np.zeros((FEW, 3), dtype=np.int64)
        """As in a sketch: numbers, shingles, hidden ones."""

    def add(self, passage: Passage) -> None:
        """Take one more passage."""
        self._passages.append(passage)

    def perhaps_like(self, passage: Passage) -> Sequence[int]:
        """Number those that a passage may be `alike` with, in order: no other one is."""
        for unknown in self._passages[self._n :]:
            self._keep(_sketch(unknown))
        return self._near(_sketch(passage)).tolist()

    def _keep(self, sketch: _Sketch) -> None:
        if self._n == len(self._bits):
            self._bits = np.concatenate([self._bits, np.zeros_like(self._bits)])
            self._facts = np.concatenate([self._facts, np.zeros_like(self._facts)])
        bits, *facts = sketch
        self._bits[self._n], self._facts[self._n] = bits, facts
        self._n += 1

    def _near(self, sketch: _Sketch) -> NDArray[np.int64]:
        same = np.flatnonzero(self._facts[: self._n, 0] == sketch.numbers)
        _, n_shingles, n_hidden = self._facts[same].T
        shared = self._bits[same] & sketch.bits
        # A shingle that only one of them has shows, unless it has no bit of its own.
        n_common = np.bitwise_count(shared).sum(axis=1, dtype=np.int64)
        n_common += np.minimum(n_hidden, sketch.n_hidden)
        n_all = n_shingles + sketch.n_shingles - n_common
        return same[n_common >= ALIKE * n_all]


def _sketch(passage: Passage) -> _Sketch:
    hashes = np.array([hash(one) for one in passage.shingles], dtype=np.int64)
    is_set = np.zeros(_N_BITS, dtype=np.bool_)
    is_set[hashes % _N_BITS] = True
    n_shingles, n_bits = len(hashes), int(is_set.sum())
    bits = np.packbits(is_set).view(np.uint64)
    numbers = hash(tuple(passage.numbers))
    return _Sketch(bits, numbers, n_shingles, n_shingles - n_bits)
