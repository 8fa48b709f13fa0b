"""Fit the curves of a checkpoint's confidence on judged collections, and print them.

    python scripts/fit_confidence.py squad11_dev scifact:queries_train.jsonl \
        --collections ../shared/eval --keep FOLDER

Every other query is fitted on (of a file of training queries, --queries of them), and
judged on the rest by `pplx-local eval DIR --sample odd --answer-removed`. For each
collection the best hits of three kinds count alike: those of its own queries, which are
right or wrong; those of the same queries with their answers kept out; and those of the
queries of all other collections, which it has no answer for. What is printed goes into
the catalogue. Of a collection that names one passage as right where others are as well,
such as COVID-QA's papers, a curve would learn to doubt what is right.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pplx_local.cli.progress import follow
from pplx_local.config import load_settings
from pplx_local.evaluate import Evaluation, Options
from pplx_local.evaluate.closeness import Best, auc
from pplx_local.records import Leg

LEGS: tuple[tuple[Leg, ...], ...] = (("lexical", "late"), ("lexical", "dense"))
"""What a curve may need: the best first. Beside the token vectors a dense one adds
nothing: its slope comes out negative, as what is only of the same field has much of it."""
PENALTY = 1e-3
"""On the squares of the weights of standardised evidence."""
STEPS = 50

Floats = NDArray[np.float64]


def main() -> None:
    """Run the command line."""
    options = _options()
    found = [
        _closeness(spec, options.collections, options.keep, options.queries)
        for spec in options.sets
    ]
    for legs in LEGS:
        parts = [table(kinds, legs) for kinds in found]
        if not len(parts[0][0]):
            continue  # the profile has no such legs
        x, y, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
        offset, slopes = fit(x, y, weights)
        pairs = ", ".join(
            f'"{leg}": {slope:.3g}' for leg, slope in zip(legs, slopes, strict=True)
        )
        print(f"ConfidenceCurve({offset:.3g}, {{{pairs}}}),")
        print(f"  AUC on what it was fitted on: {auc(*_sides(x, y, slopes)):.3f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="+", help="NAME or NAME:FILE of queries")
    parser.add_argument("--collections", required=True, type=Path)
    parser.add_argument("--keep", type=Path, help="where indexes are kept")
    parser.add_argument(
        "--queries", type=int, default=300, help="of a file of training queries"
    )
    return parser.parse_args()


# --- the best hits ---


def _closeness(
    spec: str, collections: Path, keep: Path | None, n_queries: int
) -> list[list[Best]]:
    """Ask a collection; give the best hits of each kind."""
    name, _, file = spec.partition(":")
    options = Options(
        queries=Path(file) if file else None,
        sample=str(n_queries) if file else "even",
        unanswerable=_others(collections, name),
        answer_removed=True,
        keep=keep / name if keep else None,
    )
    evaluation = Evaluation(collections / name, load_settings(), options)
    follow(evaluation)
    closeness = evaluation.closeness
    foreign = list(chain.from_iterable(closeness.foreign.values()))
    return [closeness.own, closeness.removed, foreign]


def _others(collections: Path, name: str) -> list[Path]:
    files = sorted(collections.glob("*/queries.jsonl"))
    return [file for file in files if file.parent.name != name]


def table(
    kinds: Sequence[Sequence[Best]], legs: Sequence[Leg]
) -> tuple[Floats, Floats, Floats]:
    """Evidence (N, legs), whether it is right (N,), and weights (N,) alike by kind."""
    x, y, weights = [], [], []
    for kind in kinds:
        known = [best for best in kind if all(leg in best.evidence for leg in legs)]
        for best in known:
            x.append([best.evidence[leg] for leg in legs])
            y.append(float(best.is_right))
            weights.append(1 / len(known))
    return np.array(x), np.array(y), np.array(weights)


# --- the fit ---


def fit(x: Floats, y: Floats, weights: Floats) -> tuple[float, Floats]:
    """Fit a logistic by Newton's method.

    Args:
        x: (N, F) Evidence.
        y: (N,) 1 for what is right.
        weights: (N,) Of the rows.

    Returns:
        The offset, and the slopes (F,).
    """
    weights = weights / weights.sum()
    mean, spread = x.mean(axis=0), x.std(axis=0)
    table = np.column_stack([(x - mean) / spread, np.ones(len(x))])
    penalty = np.diag([PENALTY] * x.shape[1] + [0.0])
    solution = np.zeros(table.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-table @ solution))
        gradient = table.T @ (weights * (p - y)) + penalty @ solution
        curvature = (table.T * (weights * p * (1 - p))) @ table + penalty
        solution -= np.linalg.solve(curvature, gradient)
    slopes = solution[:-1] / spread
    return float(solution[-1] - slopes @ mean), slopes


def _sides(x: Floats, y: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    sums = x @ slopes
    return sums[y > 0], sums[y == 0]


if __name__ == "__main__":
    main()
