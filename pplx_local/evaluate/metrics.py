"""How good a ranking is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np


class Figures:
    """Metrics by the name of what was measured, query by query."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def note(self, name: str, metrics: Mapping[str, float]) -> None:
        """Take what one query gave; nan where it says nothing."""
        for metric, value in metrics.items():
            self._values[name][metric].append(value)

    def means(self) -> dict[str, dict[str, float]]:
        """Average over the queries."""
        return {
            name: {
                metric: round(float(np.nanmean(values)), 4)
                for metric, values in metrics.items()
            }
            for name, metrics in self._values.items()
        }


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
