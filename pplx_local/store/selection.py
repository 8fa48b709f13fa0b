"""Some of the visible chunks, for the legs to search among."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Selection:
    """Some of the visible chunks: listed where they are few, else testable."""

    def __init__(
        self, ids: Ids | None, test: Callable[[Ids], Mask], share: float = 0.0
    ) -> None:
        """Describe some chunks.

        Args:
            ids: All of them, sorted; None where they are too many to list.
            test: Tells which of given visible chunks belong to them.
            share: Of all visible chunks, estimated; only where they are not listed.
        """
        self.ids = ids
        self.share = share
        self._test = test

    def holds(self, chunk_ids: Ids) -> Mask:
        """Tell which of these visible chunks (N,) belong to it: (N,)."""
        return self._test(np.asarray(chunk_ids, dtype=np.int64))
