"""Fit the curves of a checkpoint's confidence on judged collections, and print them.

    python scripts/fit_confidence.py squad11_dev covidqa scifact:queries_train.jsonl \
        --collections ../shared/eval --keep FOLDER

Every other query is fitted on (of other files of queries, such as training claims, all),
and judged on the rest by `pplx-local eval DIR --sample odd --answer-removed`. For each
collection the best hits of three kinds count alike: those of its own queries, which are
right or wrong; those of the same queries with their answers kept out; and those of the
queries of all other collections. What is printed goes into the catalogue.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
        "--queries", type=int, default=500, help="of each kind, at most"
    )
    return parser.parse_args()


# --- the best hits ---


def _closeness(
    spec: str, collections: Path, keep: Path | None, n_queries: int
) -> tuple[list[Best], ...]:
    """Ask a collection; give the best hits of each kind."""
    name, _, file = spec.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        foreign = Path(folder) / "foreign.jsonl"
        _write_foreign(foreign, collections, name, n_queries)
        evaluation = Evaluation(
            collections / name,
            load_settings(),
            Options(
                queries=Path(file) if file else None,
                sample=str(n_queries) if file else "even",
                unanswerable=[foreign],
                answer_removed=True,
                keep=keep / name if keep else None,
            ),
        )
        for progress in evaluation:
            print(
                f"\r{name}: {progress.stage} {progress.done}", end="", file=sys.stderr
            )
    print(file=sys.stderr)
    closeness = evaluation.closeness
    return closeness.own, closeness.removed, *closeness.foreign.values()


def _write_foreign(path: Path, collections: Path, name: str, n_queries: int) -> None:
    """Mix the queries of the other collections, twice as many as one half of them is."""
    others = [
        file.read_text(encoding="utf-8").splitlines()
        for file in sorted(collections.glob("*/queries.jsonl"))
        if file.parent.name != name
    ]
    path.write_text("\n".join(islice(_in_turn(others), 2 * n_queries)) + "\n")


def _in_turn(others: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, row in enumerate(
        row for rows in zip(*others, strict=False) for row in rows
    ):
        query = json.loads(row)
        yield json.dumps({"id": str(number), "text": query["text"]})


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
