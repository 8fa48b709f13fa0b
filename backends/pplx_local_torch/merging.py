"""`pplx_local.backend.pooling`'s rule on tensors, for all passages of a pass together.

They lie side by side, each filled up to the longest. Nothing is decided on the host but
whether another round is needed, and four or five of them do for hundreds of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pplx_local.backend.pooling import n_pooled
from pplx_local_torch.outbox import send_there

_PAIRS_AT_ONCE = 1 << 24
"""Pairs of rows, in all passages of a group: what bounds the memory."""


class Merged(NamedTuple):
    """Rows that stand for all rows of the passages, as in `pooling.Pooled`."""

    rows: Tensor
    """(m, D) float32: means, passage by passage."""
    members: Tensor
    """(m,) int32: which of all rows is nearest to each mean."""


def pool_rows(rows: Tensor, lengths: NDArray[np.int64], pooling: int) -> Merged:
    """Merge the unit rows of passages, each by itself.

    Args:
        rows: (k, D) float32, passage by passage.
        lengths: (P,) Rows of each passage; they add up to k.
        pooling: One of so many is left, rounded up.
    """
    left = np.array([n_pooled(n, pooling) for n in lengths.tolist()], dtype=np.int64)
    # A state that is no number would spread to all that it is compared with.
    finite = rows.nan_to_num()
    labels = torch.empty(len(rows), dtype=torch.int64, device=rows.device)
    starts, first_labels = (np.cumsum(n) - n for n in (lengths, left))
    for group in _groups(lengths):
        parts = np.stack([one[group] for one in (starts, lengths, left, first_labels)])
        _label(finite, send_there(parts, rows.device), int(lengths[group[0]]), labels)
    return _means(finite, labels, int(left.sum()))


def _groups(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Put passages of like lengths together, the longest first; empty ones nowhere."""
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    while len(order):
        most = max(_PAIRS_AT_ONCE // int(lengths[order[0]]) ** 2, 1)
        yield order[:most]
        order = order[most:]


def _label(rows: Tensor, parts: Tensor, longest: int, labels: Tensor) -> None:
    """Number the clusters of a group's rows.

    Args:
        rows: (k, D) of all passages.
        parts: (4, p) int64 of those in the group: the first row, the number of rows,
            that of rows to be left, and the number of the first cluster.
        longest: The most rows of any.
        labels: (k,) int64, to be filled.
    """
    starts, lengths, left, first_labels = parts[:, :, None]  # (p, 1) each
    numbers = torch.arange(longest, device=rows.device)[None]  # (1, n)
    real = numbers < lengths  # (p, n)
    places = torch.where(real, starts + numbers, starts)
    x = rows[places] * real[:, :, None]  # (p, n, D)
    trees = _Trees(torch.bmm(x, x.transpose(1, 2)), real, lengths - left)
    for _ in range(longest):
        trees.measure()
        if trees.are_done():
            break
        trees.merge_mutual()
    # What is not there writes where the first row of its passage does, and the same.
    found = first_labels + trees.labels()
    labels[places] = torch.where(real, found, first_labels)


def _means(rows: Tensor, labels: Tensor, n_left: int) -> Merged:
    """Average rows (k, D) of each label, and find the row nearest to each mean."""
    counts = torch.zeros(n_left, dtype=torch.int64, device=rows.device)
    counts.index_add_(0, labels, torch.ones_like(labels))
    by_label = labels.argsort(stable=True)
    # Their sum is not checked: that would wait for all that the device does.
    means = torch.segment_reduce(
        rows[by_label], "sum", lengths=counts, axis=0, unsafe=True
    )
    means /= counts[:, None]
    # Rounded as on the host: two rows are equally near to their mean.
    near = (rows * means[labels]).sum(dim=1).round(decimals=3)
    order = near.argsort(descending=True, stable=True)
    order = order[labels[order].argsort(stable=True)]
    return Merged(means, order[counts.cumsum(0) - counts].to(torch.int32))


class _Trees:
    """Clusters of p passages that are merged, each known by the first of its rows.

    Args:
        products: (p, n, n) float32 of the rows; they become those of sums.
        real: (p, n) Rows that are there.
        n_merges: (p, 1) int64: the cheapest so many count.
    """

    def __init__(self, products: Tensor, real: Tensor, n_merges: Tensor) -> None:
        self._products, self._alive, self._n_merges = products, real.clone(), n_merges
        self._real = real
        self._sizes = torch.ones(real.shape, device=real.device)
        self._numbers = torch.arange(real.shape[1], device=real.device)[None]  # (1, n)
        self._itself = torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
        self._into = self._numbers.repeat(len(real), 1)
        """(p, n) The cluster that each row's own went into, if it went."""
        self._paid = torch.full(real.shape, torch.inf, device=real.device)
        """(p, n) What that cost."""

    def measure(self) -> None:
        """Find the nearest of each cluster, and passages whose cheapest are known."""
        least, self._nearest = self._costs().min(dim=2)  # (p, n) each, first of equals
        self._least = least
        paid = self._paid.sort(dim=1).values
        dearest = paid.gather(1, (self._n_merges - 1).clamp_min(0))  # (p, 1)
        enough = dearest.isfinite() & (dearest <= least.amin(dim=1, keepdim=True))
        self._done = enough | (self._n_merges <= 0)

    def are_done(self) -> bool:
        """Wait for the device, and tell whether no passage needs another round."""
        return bool(self._done.all())

    def merge_mutual(self) -> None:
        """Merge every two clusters that are each other's nearest."""
        nearest, numbers = self._nearest, self._numbers
        mutual = nearest.gather(1, nearest) == numbers
        mutual &= self._alive & ~self._done
        stays, goes = mutual & (numbers < nearest), mutual & (numbers > nearest)
        self._into = torch.where(goes, nearest, self._into)
        self._paid = torch.where(goes, self._least, self._paid)
        self._alive &= ~goes
        self._sizes += self._sizes.gather(1, nearest) * stays
        rows = nearest[:, :, None].expand_as(self._products)
        self._products += self._products.gather(1, rows) * stays[:, :, None]
        columns = nearest[:, None, :].expand_as(self._products)
        self._products += self._products.gather(2, columns) * stays[:, None, :]

    def labels(self) -> Tensor:
        """Number the clusters (p, n) of each passage in the order of first rows."""
        # The cheapest; of equals what `sorted` puts first.
        order = self._into.argsort(dim=1, stable=True)
        by_cost = self._paid.gather(1, order).argsort(dim=1, stable=True)
        order = order.gather(1, by_cost)
        counts = (self._numbers < self._n_merges).expand_as(order)
        chosen = torch.zeros_like(self._real).scatter_(1, order, counts)
        first = torch.where(chosen, self._into, self._numbers)
        for _ in range(
            first.shape[1].bit_length()
        ):  # each step doubles how far it goes
            first = first.gather(1, first)
        begins = self._real & (first == self._numbers)
        return (begins.cumsum(dim=1) - 1).gather(1, first)

    def _costs(self) -> Tensor:
        """Say by how much each merge would raise the squared distances to the means.

        To the bit as on the host, where the products are.
        """
        products, sizes = self._products, self._sizes
        squares = products.diagonal(dim1=1, dim2=2)  # (p, n)
        spread = (squares / sizes)[:, :, None] * sizes[:, None, :]
        costs = spread + spread.transpose(1, 2)
        costs -= products + products.transpose(1, 2)
        costs /= sizes[:, :, None] + sizes[:, None, :]
        apart = self._alive[:, :, None] & self._alive[:, None, :] & ~self._itself
        return costs.masked_fill_(~apart, torch.inf)
