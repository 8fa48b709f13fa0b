"""From the scores of the legs to one score.

Dense and late scores become z-scores against the null sample, the same few hundred
chunks for every query, which tell what an unrelated passage scores. Keyword scores are
divided by the query's attainable maximum, so that no weight depends on the size of the
index: a z-score of BM25 grows with the number of chunks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Leg

_SMALLEST_SPREAD = 1e-6


def z_scores(
    scores: NDArray[np.float32], null_scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Measure scores (N,) in standard deviations above the null sample's mean.

    A score that is not finite (no vector yet) counts as the mean: unknown is neither
    near nor far.
    """
    # Sorted: a sum depends on its order, and that of chunk ids on the index's history.
    known = np.sort(null_scores[np.isfinite(null_scores)])
    if not len(known):
        return np.zeros_like(scores)
    spread = max(float(known.std()), _SMALLEST_SPREAD)
    z = (scores - float(known.mean())) / spread
    return np.where(np.isfinite(scores), z, 0).astype(np.float32)


def fuse(
    parts: Mapping[Leg, NDArray[np.float32]], weights: Mapping[Leg, float]
) -> NDArray[np.float32]:
    """Add the legs' normalised scores (N,), weighted; a leg that is absent adds nothing."""
    fused = np.zeros(len(next(iter(parts.values()))), dtype=np.float32)
    for leg, part in parts.items():
        fused += np.float32(weights[leg]) * part
    return fused
