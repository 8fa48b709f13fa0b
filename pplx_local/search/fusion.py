"""From the scores of the legs to one score.

Dense and late scores are measured from the mean of the null sample, the same few hundred
chunks for every query, which tells what an unrelated passage scores; in spreads of the
best candidates, which stay what they are whatever else is in the index. The spread of the
null sample itself halves when short texts of another field are added, and the models
count twice as much. Keyword scores are divided by the query's attainable maximum for the
same reason: a z-score of BM25 grows with the number of chunks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Leg

_SMALLEST_SPREAD = 1e-6
_BEST = 150
"""Each leg brings as many to every search, so that they are the same for any k."""


def normalize(
    scores: NDArray[np.float32], null_scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Measure scores (N,) from the null sample's mean, in spreads of the best of them.

    A score that is not finite (no vector yet) counts as that mean: unknown is neither
    near nor far.
    """
    # Sorted: a sum depends on its order, and that of chunk ids on the index's history.
    null = np.sort(null_scores[np.isfinite(null_scores)])
    best = np.sort(scores[np.isfinite(scores)])[-_BEST:]
    if not len(null) or not len(best):
        return np.zeros_like(scores)
    spread = max(float(best.std()), _SMALLEST_SPREAD)
    distance = (scores - float(null.mean())) / spread
    return np.where(np.isfinite(scores), distance, 0).astype(np.float32)


def fuse(
    parts: Mapping[Leg, NDArray[np.float32]], weights: Mapping[Leg, float]
) -> NDArray[np.float32]:
    """Add the legs' normalised scores (N,), weighted; a leg that is absent adds nothing."""
    fused = np.zeros(len(next(iter(parts.values()))), dtype=np.float32)
    for leg, part in parts.items():
        fused += np.float32(weights[leg]) * part
    return fused
