"""What keeps the database small and quick without anybody asking."""

from __future__ import annotations

import time

from pplx_local.store import Store

KEEP_HIDDEN_NS = 24 * 3600 * 10**9
"""How long the vectors of a document that no file needs wait for its return."""


def let_go_of_old(store: Store) -> None:
    """Erase documents that no file has needed for long."""
    store.purge(time.time_ns() - KEEP_HIDDEN_NS)
