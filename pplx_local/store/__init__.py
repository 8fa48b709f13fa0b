"""The index on disk: files, text, keywords and vectors in one SQLite file."""

from pplx_local.store.documents import ChunkRef, DocumentWriter
from pplx_local.store.filters import NO_FILTERS, Among, Filters, Parts
from pplx_local.store.kills import Kills
from pplx_local.store.lexical import (
    MAX_TERMS,
    LexicalQuery,
    Matches,
    Term,
    analyze_query,
    find_words,
    idf,
)
from pplx_local.store.queue import Waiting
from pplx_local.store.selection import Selection
from pplx_local.store.spaces import Backlog, Space
from pplx_local.store.store import Store

__all__ = [
    "MAX_TERMS",
    "NO_FILTERS",
    "Among",
    "Backlog",
    "ChunkRef",
    "DocumentWriter",
    "Filters",
    "Kills",
    "LexicalQuery",
    "Matches",
    "Parts",
    "Selection",
    "Space",
    "Store",
    "Term",
    "Waiting",
    "analyze_query",
    "find_words",
    "idf",
]
