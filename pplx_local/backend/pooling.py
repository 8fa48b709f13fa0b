"""Fewer token vectors: those of a passage that are alike become one.

Ward's rule, as in "Reducing the Footprint of Multi-Vector Retrieval with Minimal
Performance Impact via Token Pooling" (Clavié et al., 2024).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Rows = NDArray[np.float32]


class Pooled(NamedTuple):
    """Rows that stand for all rows of a passage."""

    rows: _Rows
    """(m, D) Means of the rows that were merged, in the order of their first ones."""
    members: NDArray[np.int64]
    """(m,) The row nearest to each mean."""


def n_pooled(n_rows: int, pooling: int) -> int:
    """Say how many rows are left of a passage's: one of `pooling`, rounded up."""
    return -(-n_rows // pooling)


def pool_rows(rows: _Rows, pooling: int) -> Pooled:
    """Merge unit rows (n, D) until `n_pooled(n, pooling)` are left."""
    labels = ward_labels(rows, n_pooled(len(rows), pooling))
    n_left = int(labels.max(initial=-1)) + 1
    sums = np.zeros((n_left, rows.shape[1]), dtype=np.float32)
    np.add.at(sums, labels, rows)
    means = sums / np.bincount(labels, minlength=n_left).astype(np.float32)[:, None]
    # Rounded: two rows are equally near to their mean, whatever the last digits say.
    distance = -np.einsum("nd,nd->n", rows, means[labels]).round(3)
    nearest_first = np.lexsort((distance, labels))
    firsts = np.searchsorted(labels[nearest_first], np.arange(n_left))
    return Pooled(means, nearest_first[firsts])


def ward_labels(rows: _Rows, n_left: int) -> NDArray[np.int64]:
    """Cluster rows (n, D) by Ward's rule.

    A cluster merges with the one that is nearest to it as soon as that is mutual.
    That gives the tree that merging the nearest of all pairs again and again would
    give, in a few rounds; of its merges the cheapest count.

    Returns:
        (n,) The number of each row's cluster, from 0, in the order of first rows.
    """
    tree = _Tree(rows)
    n_merges = max(len(rows) - n_left, 0)
    while not tree.knows_cheapest(n_merges):
        tree.merge_mutual()
    labels = np.arange(len(rows))
    for _, into, gone in sorted(tree.merges)[:n_merges]:
        labels[labels == labels[gone]] = labels[into]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


class _Tree:
    """Clusters that are merged, with what each merge cost."""

    def __init__(self, rows: _Rows) -> None:
        self.merges: list[tuple[float, int, int]] = []
        """(cost, a row of the cluster that stays, a row of the one that goes)."""
        # Products of the clusters' sums: with them the rows are needed no more.
        self._products = rows @ rows.T
        self._sizes = np.ones(len(rows), dtype=np.float32)
        self._first = np.arange(len(rows))
        self._costs = self._measure()

    def knows_cheapest(self, n_merges: int) -> bool:
        """Tell whether no merge to come is among the cheapest so many."""
        if len(self.merges) < n_merges:
            return False
        if n_merges == 0 or len(self._sizes) == 1:
            return True
        costs = sorted(cost for cost, _, _ in self.merges)
        return costs[n_merges - 1] <= float(self._costs.min())

    def merge_mutual(self) -> None:
        """Merge every two clusters that are each other's nearest."""
        nearest = self._costs.argmin(axis=1)
        everyone = np.arange(len(nearest))
        stays = np.flatnonzero((nearest[nearest] == everyone) & (everyone < nearest))
        goes = nearest[stays]
        costs = self._costs[stays, goes].tolist()
        pairs = zip(
            self._first[stays].tolist(), self._first[goes].tolist(), strict=True
        )
        self.merges += [(cost, *pair) for cost, pair in zip(costs, pairs, strict=True)]
        self._join(stays, goes)
        self._costs = self._measure()

    def _join(self, stays: NDArray[np.int64], goes: NDArray[np.int64]) -> None:
        self._sizes[stays] += self._sizes[goes]
        self._products[stays] += self._products[goes]
        self._products[:, stays] += self._products[:, goes]
        left = np.delete(np.arange(len(self._sizes)), goes)
        self._products = self._products[np.ix_(left, left)]
        self._sizes, self._first = self._sizes[left], self._first[left]

    def _measure(self) -> _Rows:
        """Say by how much each merge would raise the squared distances to the means."""
        products, sizes = self._products, self._sizes
        spread = np.outer(np.diag(products) / sizes, sizes)
        # Sums with what is transposed are alike on both sides to the bit; else two might
        # never be mutual.
        costs: _Rows = (spread + spread.T).astype(np.float32)
        costs -= products + products.T
        costs /= sizes[:, None] + sizes
        np.fill_diagonal(costs, np.inf)
        return costs
