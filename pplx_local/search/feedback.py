"""What the best candidates tell of the question: which words matter, and what is meant.

Both take the first hits for right, which mostly they are (pseudo-relevance feedback;
Rocchio 1971). Measured with the starter, nDCG@10 of the fusion without, with the words, with
both: SciFact 0.742, 0.745, 0.750; Cranfield 0.565, 0.559, 0.570; SQuAD (600 questions)
0.937, 0.940, 0.939; COVID-QA (500) 0.710, 0.720, 0.720. Beside 92,000 unrelated passages:
0.732, 0.740, 0.745; 0.556, 0.559, 0.573; 0.927, 0.933, 0.932. The constants were settled on
SciFact's claims for training and every other question of the others. Since less is fed back
where words are not known (`Ranking`), both give SciFact 0.748 and Cranfield 0.569.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pplx_local.search.legs import Ids, Values
from pplx_local.store import Matches, idf

NEAREST = 30
"""Candidates, the best by what is meant, among which words are counted."""

_BEST = 3
"""Candidates that are asked with."""
_LEAST = 1e-6
"""What each of them counts at the least: equals count alike."""


def weighed_here(matches: Matches, nearest: NDArray[np.intp], power: float) -> Values:
    """Score N candidates by words, those that tell the nearest apart for more.

    In a folder of many fields every word of one is rare, and none of them tells which of
    its passages is meant. A frequent word that was read beside rarer ones alone counts as
    absent from others (`LexicalQuery.rare_only`): nDCG@10 is the same.

    Args:
        matches: (N, ...) What each word gives.
        nearest: Of the N, those that models find best; none changes nothing.
        power: Of what a word tells among these, 0 to 1.

    Returns:
        (N,) Shares of the attainable maximum.
    """
    if not len(nearest):
        return matches.shares
    n_holding = matches.held[nearest].sum(axis=0).tolist()
    here = np.array([idf(n, len(nearest)) for n in n_holding], dtype=np.float32)
    return matches.weighed((here / matches.idfs) ** np.float32(power)).shares


def likeness(codes: NDArray[np.int8], ids: Ids, scores: Values) -> Values:
    """Compare N candidates with the best of them.

    Args:
        codes: (N, D) Dense vectors; zeros where there is none.
        ids: (N,) Settle ties.
        scores: (N,) Say which are the best; -inf for one that is no hit.

    Returns:
        (N,) Cosines with the mean of the best, in which each counts by how far it stands
        above the last of them, times the length of that mean. nan without a vector.
    """
    best = np.lexsort((ids, -scores))[:_BEST]
    best = best[np.isfinite(scores[best])]
    if not len(best):
        return np.full(len(ids), np.nan, dtype=np.float32)
    leads = scores[best] - scores[best[-1]] + np.float32(_LEAST)
    vectors = codes.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = np.nansum(vectors[best] * (leads / leads.sum())[:, None], axis=0)
    # Not by BLAS: there rows that are the same can give what differs in the last bit.
    return np.einsum("nd,d->n", vectors, mean.astype(np.float32))
