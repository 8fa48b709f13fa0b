"""What each word of a query gives to each chunk, before it is added up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def idf(n: float, n_all: int) -> float:
    """Say how much a term tells that n of so many passages hold; never negative."""
    return math.log(1 + (n_all - n + 0.5) / (n + 0.5))


@dataclass(frozen=True, slots=True)
class Matches:
    """BM25 of C chunks, taken apart into T terms and P pairs that follow each other."""

    parts: Floats
    """(C, T + P) What each gives; their sum is the score."""
    most: Floats
    """(T + P,) The most that each can give."""
    weights: Floats
    """(T,) Of the terms in a text."""
    idfs: Floats
    """(T,) Of the terms, among all chunks."""
    pairs: Sequence[tuple[int, int]]
    """(P,) Numbers of their terms. A pair weighs what the lighter of both does."""

    @classmethod
    def none(cls, n_chunks: int) -> Matches:
        """Make those of a query without words."""
        nothing = np.empty(0, np.float32)
        return cls(np.empty((n_chunks, 0), np.float32), nothing, nothing, nothing, ())

    @property
    def scores(self) -> Floats:
        """(C,) BM25."""
        return self.parts.sum(axis=1)

    @property
    def bound(self) -> float:
        """The most that any chunk could score."""
        return float(self.most.sum())

    @property
    def shares(self) -> Floats:
        """(C,) BM25 as a share of the most that a chunk could score."""
        return (
            self.scores / np.float32(self.bound) if self.bound > 0 else self.scores * 0
        )

    @property
    def held(self) -> NDArray[np.bool_]:
        """(C, T) Which chunks hold which terms."""
        return self.parts[:, : len(self.weights)] > 0

    def of(self, chunks: NDArray[np.intp] | NDArray[np.bool_]) -> Matches:
        """Give those of some chunks."""
        return replace(self, parts=self.parts[chunks])

    def weighed(self, factors: Floats) -> Matches:
        """Multiply the weights of the terms (T,), and of the pairs accordingly."""
        scaled = self.weights * factors
        pairs = [_ratio(scaled, self.weights, pair) for pair in self.pairs]
        columns = np.array([*factors, *pairs], dtype=np.float32)
        return replace(
            self, parts=self.parts * columns, most=self.most * columns, weights=scaled
        )


def _ratio(scaled: Floats, weights: Floats, pair: tuple[int, int]) -> float:
    """Divide what the lighter of two terms weighs by what it weighed before."""
    before = float(weights[list(pair)].min())
    return float(scaled[list(pair)].min()) / before if before else 1.0
