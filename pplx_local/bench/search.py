"""The exact shortlist beside one large k, keywords, and whole searches leg by leg."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pplx_local.bench.keywords import keyword_rows
from pplx_local.bench.material import documents_folder, queries_from
from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.bench.timing import each_ms, percentiles
from pplx_local.bench.whole import whole_rows
from pplx_local.config import Settings
from pplx_local.errors import StoreError
from pplx_local.index import Index, WorkerFactory, spawn_worker
from pplx_local.index.scratch import scratch_settings
from pplx_local.store.connection import Database, create_file
from pplx_local.store.dense import DenseTable
from pplx_local.store.nearest import nearest

_BITS = 1_024
_K = 500
_QUERIES = 20
_DIM = 8
"""Of the codes, which no part of this reads: short, to save a gigabyte of disk."""
_ROWS_AT_ONCE = 10_000
_SEARCHES = 40
_SEED = 20

_Ids = NDArray[np.int64]
_Distances = NDArray[np.int64]


def measure_search(
    settings: Settings,
    n_rows: int = 1_000_000,
    n_chunks: int = 10_000,
    *,
    worker: WorkerFactory = spawn_worker,
) -> BenchResult:
    """Time the shortlist on made-up rows, and searches in the person's own index.

    Args:
        settings: Its home holds the index; without one, a small one is made.
        n_rows: Rows of random bits.
        n_chunks: Chunks of made-up words, which take twenty seconds for each 10,000.
        worker: How encoder workers are made.

    Raises:
        StoreError: An answer is not the one that numpy gives.
    """
    rows = [*_shortlist(n_rows), *keyword_rows(n_chunks)]
    rows += whole_rows(settings, n_chunks, worker)
    rows += _latencies(settings, worker)
    return BenchResult("search", machine(), tuple(rows))


# --- the shortlist -----------------------------------------------------------


def _shortlist(n_rows: int) -> list[BenchRow]:
    random = np.random.default_rng(_SEED)
    bits = random.integers(0, 256, (n_rows, _BITS // 8), dtype=np.uint8)
    queries = random.integers(0, 256, (_QUERIES, _BITS // 8), dtype=np.uint8)
    with tempfile.TemporaryDirectory(prefix="pplx-local-bench-") as folder:
        path = Path(folder) / "rows.db"
        create_file(path)
        writer = Database(path)
        _fill(writer, bits)
        writer.close()
        reader = Database(path, readonly=True)
        table = DenseTable(reader, "ours", _DIM, _BITS)
        asked = list(queries)
        measured = median(each_ms(asked, lambda query: nearest(table, query, _K)))
        flat = median(each_ms(asked, lambda query: _ask_flat(reader, query)))
        _compare_with_numpy(bits, queries, table)
        reader.close()
    ours = f"exact top {_K} of {n_rows:,} x {_BITS} bits"
    theirs = f"sqlite-vec's k = {_K} query over the same rows"
    return [
        BenchRow(ours, measured, "ms", theirs, flat / measured),
        BenchRow(theirs, flat, "ms"),
        BenchRow("shortlists equal to numpy's", _QUERIES, f"of {_QUERIES}"),
    ]


def _fill(database: Database, bits: NDArray[np.uint8]) -> None:
    """Write the same rows into a table of ours and into a plain one."""
    codes = bytes([1] * _DIM)
    ours = DenseTable(database, "ours", _DIM, _BITS)
    with database.transaction():
        ours.create()
        database.execute(
            f"CREATE VIRTUAL TABLE flat USING vec0(bits bit[{_BITS}], chunk_size=1024)"
        )
    for start in range(0, len(bits), _ROWS_AT_ONCE):
        part = [
            (start + row, packed.tobytes())
            for row, packed in enumerate(bits[start : start + _ROWS_AT_ONCE])
        ]
        with database.transaction():
            ours.insert((row, codes, packed) for row, packed in part)
            database.many("INSERT INTO flat (rowid, bits) VALUES (?, vec_bit(?))", part)


def _ask_flat(database: Database, query: NDArray[np.uint8]) -> object:
    return database.rows(
        "SELECT rowid, distance FROM flat WHERE bits MATCH vec_bit(?) AND k = ?",
        (query.tobytes(), _K),
    )


def _compare_with_numpy(
    bits: NDArray[np.uint8], queries: NDArray[np.uint8], table: DenseTable
) -> None:
    for number, query in enumerate(queries):
        ids, distances = nearest(table, query, _K)
        wanted, wanted_distances = _by_numpy(bits, query)
        if not (
            np.array_equal(ids, wanted) and np.array_equal(distances, wanted_distances)
        ):
            raise StoreError(
                f"The shortlist of query {number} is not the one that numpy gives. "
                "This is a bug in pplx-local or in sqlite-vec; please report it."
            )


def _by_numpy(
    bits: NDArray[np.uint8], query: NDArray[np.uint8]
) -> tuple[_Ids, _Distances]:
    words = bits.view(np.uint64) ^ query.view(np.uint64)  # (N, B/64)
    distances = np.bitwise_count(words).sum(axis=1, dtype=np.int64)  # (N,)
    order = np.argsort(distances, kind="stable")[:_K]
    return order.astype(np.int64), distances[order]


# --- whole searches ----------------------------------------------------------


def _latencies(settings: Settings, worker: WorkerFactory) -> list[BenchRow]:
    with _an_index(settings, worker) as index:
        answers = [index.search(query) for query in queries_from(index, _SEARCHES + 1)]
        chunks = f"{index.store.count_chunks():,} chunks"
    ran = [answer for answer in answers[1:] if answer.hits]  # the first one warms up
    if not ran:
        return []
    rows = percentiles("hybrid", chunks, [answer.took_ms for answer in ran])
    for leg in ("lexical", "dense", "late"):
        if all(answer.legs[leg].ran for answer in ran):
            times = [answer.legs[leg].ms for answer in ran]
            rows += percentiles(f"{leg} leg", chunks, times)
    return rows


@contextmanager
def _an_index(settings: Settings, worker: WorkerFactory) -> Iterator[Index]:
    """Open the person's index, or make one of prose that every Python brings."""
    if settings.database.exists():
        with Index.open(settings, worker=worker) as index:
            yield index
        return
    with (
        scratch_settings(settings) as scratch,
        documents_folder(None) as folder,
        Index.open(scratch, write=True, worker=worker) as index,
    ):
        index.add_folder(folder)
        for _ in index.update():
            pass
        yield index
