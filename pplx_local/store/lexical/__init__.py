"""Keyword search: the analysis of text and queries, FTS5, and BM25."""

from pplx_local.store.lexical.analysis import analyze_phrase, analyze_text
from pplx_local.store.lexical.lexicon import Lexicon
from pplx_local.store.lexical.matches import Matches, idf
from pplx_local.store.lexical.places import find_words
from pplx_local.store.lexical.query import (
    MAX_TERMS,
    LexicalQuery,
    Term,
    analyze_query,
    tokens_of,
)

__all__ = [
    "MAX_TERMS",
    "LexicalQuery",
    "Lexicon",
    "Matches",
    "Term",
    "analyze_phrase",
    "analyze_query",
    "analyze_text",
    "find_words",
    "idf",
    "tokens_of",
]
