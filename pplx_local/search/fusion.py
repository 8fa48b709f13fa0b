"""From the scores of the legs to one score.

Each leg counts on a scale of its own that does not hang on what else is in the index, on the
filters or on how long the query is, so that no weight depends on them: the cosine of the
dense vectors, the mean similarity of the query's words, and the share of the attainable
maximum of BM25. A z-score of BM25 grows with the number of chunks; z-scores of the models
against unrelated chunks double when these are of another field. What the best candidates
tell comes on top (`feedback`).

That needs a checkpoint whose scores were seen. Of another one nobody knows how far apart
they lie: there z-scores against the null sample stand in.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Leg

_SMALLEST_SPREAD = 1e-6


def above(
    scores: NDArray[np.float32], null_scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Measure scores (N,) from the mean of the null sample.

    A score that is not finite (no vector yet) counts as that mean: unknown is neither
    near nor far.
    """
    known = _known(null_scores)
    if not len(known):
        return np.zeros_like(scores)
    distance = scores - known.mean()
    return np.where(np.isfinite(scores), distance, 0).astype(np.float32)


def spread(null_scores: NDArray[np.float32]) -> float:
    """Give the standard deviation of the null sample; never 0."""
    known = _known(null_scores)
    return max(float(known.std()), _SMALLEST_SPREAD) if len(known) else 1.0


def fuse(
    parts: Mapping[Leg, NDArray[np.float32]], weights: Mapping[Leg, float]
) -> NDArray[np.float32]:
    """Add the legs' normalised scores (N,), weighted; a leg that is absent adds nothing."""
    fused = np.zeros(len(next(iter(parts.values()))), dtype=np.float32)
    for leg, part in parts.items():
        fused += np.float32(weights[leg]) * part
    return fused


def _known(null_scores: NDArray[np.float32]) -> NDArray[np.float32]:
    # Sorted: a sum depends on its order, and that of chunk ids on the index's history.
    return np.sort(null_scores[np.isfinite(null_scores)])
