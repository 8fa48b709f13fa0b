"""The same question asked again and again, by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from pplx_local.bench.result import BenchRow

Query = TypeVar("Query")


def each_ms(queries: Sequence[Query], ask: Callable[[Query], object]) -> list[float]:
    """Time each query in milliseconds; the first is asked once before, to warm up."""
    ask(queries[0])
    times = []
    for query in queries:
        started = time.perf_counter()
        ask(query)
        times.append((time.perf_counter() - started) * 1000)
    return times


def percentiles(what: str, chunks: str, ms: Sequence[float]) -> list[BenchRow]:
    """Give the rows of p50 and p95: what was timed, and among which chunks."""
    return [
        BenchRow(f"{what}, p{p}, {chunks}", float(np.percentile(ms, p)), "ms")
        for p in (50, 95)
    ]
