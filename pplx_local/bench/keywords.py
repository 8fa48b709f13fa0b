"""The keyword leg beside FTS5's own ranking, on made-up chunks with words as in prose."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pplx_local.bench.result import BenchRow
from pplx_local.store import schema
from pplx_local.store.connection import Database, create_file
from pplx_local.store.lexical import LexicalQuery, Lexicon, analyze_query

_VOCABULARY = 100_000
_CHUNK_WORDS = 180
_QUERY_WORDS = 8
_QUERIES = 60
_K = 150
_CHUNKS_AT_ONCE = 2_000
_SEED = 21
_LETTERS = np.array(list("bdfgklmnprstvz"))
_VOWELS = np.array(list("aeiou"))


def keyword_rows(n_chunks: int) -> list[BenchRow]:
    """Time queries of eight words as frequent as those of the text."""
    with tempfile.TemporaryDirectory(prefix="pplx-local-bench-") as folder:
        path = Path(folder) / "words.db"
        queries = _fill(path, n_chunks)
        database = Database(path, readonly=True)
        lexicon = Lexicon(database)
        ours = _ms(queries, lambda query: lexicon.best(query, _K))
        theirs = _ms(queries, lambda query: _ask_plainly(database, query))
        database.close()
    return [row for p in (50, 95) for row in _rows(p, n_chunks, ours, theirs)]


def _rows(
    p: int, n_chunks: int, ours: Sequence[float], theirs: Sequence[float]
) -> Iterator[BenchRow]:
    mine, plain = (float(np.percentile(ms, p)) for ms in (ours, theirs))
    against = f"FTS5's ranking of all the words, p{p}"
    what = f"keywords, p{p}, {n_chunks:,} made-up chunks"
    yield BenchRow(what, mine, "ms", against, plain / mine)
    yield BenchRow(against, plain, "ms")


def _fill(path: Path, n_chunks: int) -> list[LexicalQuery]:
    """Write chunks of words that are as unevenly frequent as in prose (Zipf's law)."""
    random = np.random.default_rng(_SEED)
    words = _words(random)
    share = 1 / (np.arange(_VOCABULARY) + 2.7)
    share /= share.sum()
    create_file(path)
    database = Database(path)
    schema.upgrade(database)
    lexicon = Lexicon(database)
    for start in range(0, n_chunks, _CHUNKS_AT_ONCE):
        n = min(_CHUNKS_AT_ONCE, n_chunks - start)
        drawn = words[random.choice(_VOCABULARY, (n, _CHUNK_WORDS), p=share)]
        with database.transaction():
            lexicon.insert(
                (start + i + 1, " ".join(row)) for i, row in enumerate(drawn)
            )
    lexicon.merge()
    database.close()
    asked = random.choice(_VOCABULARY, (_QUERIES + 1, _QUERY_WORDS), p=share)
    return [analyze_query(" ".join(row)) for row in words[asked]]


def _words(random: np.random.Generator) -> NDArray[np.str_]:
    """Make up words of two to four syllables; some come twice."""
    n_syllables = random.integers(2, 5, _VOCABULARY)
    pairs = random.integers(0, (len(_LETTERS), len(_VOWELS)), (_VOCABULARY, 4, 2))
    syllables = np.char.add(_LETTERS[pairs[..., 0]], _VOWELS[pairs[..., 1]])
    made = ["".join(row[:n]) for row, n in zip(syllables, n_syllables, strict=True)]
    return np.array(made)


def _ask_plainly(database: Database, query: LexicalQuery) -> object:
    words = " OR ".join(f'"{term.text}"' for term in query.terms)
    return database.rows(
        "SELECT rowid, rank FROM lexical WHERE lexical MATCH ? ORDER BY rank LIMIT ?",
        (words, _K),
    )


def _ms(
    queries: Sequence[LexicalQuery], ask: Callable[[LexicalQuery], object]
) -> list[float]:
    """Time each query in milliseconds, the first one not counted."""
    times = []
    for query in queries:
        started = time.perf_counter()
        ask(query)
        times.append((time.perf_counter() - started) * 1000)
    return times[1:]
