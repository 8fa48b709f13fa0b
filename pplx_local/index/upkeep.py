"""What is kept of documents that no file needs: they come back, sometimes."""

from __future__ import annotations

import time

from pplx_local.store import Store

KEEP_HIDDEN_NS = 24 * 3600 * 10**9
"""How long the vectors of a document that no file needs wait for its return."""
FEW_HIDDEN_CHUNKS = 5_000
"""So many are always kept: some megabytes. Beyond, as many as there are visible ones:
a whole folder that is moved away and back costs nothing, and twenty thousand edits of
one file do not make the database grow."""


def let_go_of_old(store: Store) -> None:
    """Erase documents that no file has needed for long, or of which there are many."""
    store.purge(time.time_ns() - KEEP_HIDDEN_NS)
    let_go_of_surplus(store)


def let_go_of_surplus(store: Store) -> None:
    """Erase the documents that were hidden first, where there are many."""
    n_hidden = store.count_chunks(hidden=True)
    if n_hidden <= FEW_HIDDEN_CHUNKS:
        return
    n_kept = max(FEW_HIDDEN_CHUNKS, store.count_chunks())
    if n_hidden > n_kept:
        store.purge_first_hidden(n_kept)
