"""How good a ranking is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def judge(ranked: Sequence[str], grades: Mapping[str, float]) -> dict[str, float]:
    """Compute nDCG@10 (linear gains), recall@10 and recall@100 of one query."""
    wanted = relevant(grades)
    gains = [grades.get(target, 0.0) for target in ranked[:10]]
    ideal = sorted(grades.values(), reverse=True)[:10]
    return {
        "ndcg@10": _dcg(gains) / _dcg(ideal),
        "recall@10": len(wanted.intersection(ranked[:10])) / len(wanted),
        "recall@100": len(wanted.intersection(ranked[:100])) / len(wanted),
    }


def relevant(grades: Mapping[str, float]) -> set[str]:
    """Pick the targets with a grade above 0."""
    return {target for target, grade in grades.items() if grade > 0}


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / np.log2(rank + 2) for rank, gain in enumerate(gains))
