"""The keyword leg beside FTS5's own ranking, on made-up chunks with words as in prose."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pplx_local.bench.prose import Prose
from pplx_local.bench.result import BenchRow
from pplx_local.bench.timing import each_ms
from pplx_local.store import schema
from pplx_local.store.connection import Database, create_file
from pplx_local.store.lexical import LexicalQuery, Lexicon, analyze_query

_CHUNK_WORDS = 180
_QUERY_WORDS = 8
_QUERIES = 60
_K = 150
_CHUNKS_AT_ONCE = 2_000
_SEED = 21


def keyword_rows(n_chunks: int) -> list[BenchRow]:
    """Time queries of eight words as frequent as those of the text."""
    with tempfile.TemporaryDirectory(prefix="pplx-local-bench-") as folder:
        path = Path(folder) / "words.db"
        queries = _fill(path, n_chunks)
        database = Database(path, readonly=True)
        lexicon = Lexicon(database)
        ours = each_ms(queries, lambda query: lexicon.best(query, _K))
        theirs = each_ms(queries, lambda query: _ask_plainly(database, query))
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
    """Write made-up prose, and ask in such words."""
    prose = Prose(_SEED)
    create_file(path)
    database = Database(path)
    schema.upgrade(database)
    lexicon = Lexicon(database)
    for start in range(0, n_chunks, _CHUNKS_AT_ONCE):
        texts = prose.texts(min(_CHUNKS_AT_ONCE, n_chunks - start), _CHUNK_WORDS)
        with database.transaction():
            lexicon.insert(enumerate(texts, start + 1))
    lexicon.merge()
    database.close()
    return [analyze_query(text) for text in prose.texts(_QUERIES, _QUERY_WORDS)]


def _ask_plainly(database: Database, query: LexicalQuery) -> object:
    words = " OR ".join(f'"{term.text}"' for term in query.terms)
    return database.rows(
        "SELECT rowid, rank FROM lexical WHERE lexical MATCH ? ORDER BY rank LIMIT ?",
        (words, _K),
    )
