"""What windows of every kind need: the rows they keep, and the digest of a plan."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import TokenWindow, WindowPlan
from pplx_local.window.rule import Ids, WindowRule


def keep_mask(
    token_ids: Ids,
    is_text: NDArray[np.bool_],
    rule: WindowRule,
    kind: Literal["document", "query"],
) -> NDArray[np.bool_]:
    """Tell which of T tokens give a token vector.

    Args:
        token_ids: (T,) Of a window.
        is_text: (T,) Tokens of the chunks that the window owns.
        rule: The checkpoint's.
        kind: What is read; a query keeps what a document may skip.

    Returns:
        (T,)
    """
    if not rule.keep_tokens:
        return np.zeros(len(token_ids), dtype=np.bool_)
    keep = is_text if not rule.keep_specials else np.ones_like(is_text)
    if rule.skip_ids and kind == "document":
        keep = keep & ~(is_text & np.isin(token_ids, list(rule.skip_ids)))
    return keep


def assemble(windows: list[TokenWindow], chunk_indices: tuple[int, ...]) -> WindowPlan:
    """Make a plan of its windows."""
    digest = blake2b(digest_size=16)
    for window in windows:
        spans = np.array(window.pool_spans, dtype="<i4")
        sizes = (len(window.token_ids), len(spans), window.continues)
        digest.update(np.array(sizes, dtype="<i4").tobytes())
        digest.update(window.token_ids.astype("<i4").tobytes())
        digest.update(spans.tobytes())
        digest.update(window.keep.tobytes())
    return WindowPlan(tuple(windows), chunk_indices, digest.digest())
