"""What the legs are asked: words, and their vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pplx_local.encoding import EncodedQuery
from pplx_local.records import Role
from pplx_local.store import NO_FILTERS, Filters, LexicalQuery, Selection


class Picked(NamedTuple):
    """Candidates of the keywords, found while the query was being encoded."""

    k: int
    """For so many hits."""
    ids: NDArray[np.int64]


class Asked(NamedTuple):
    """One question, ready for the legs."""

    words: LexicalQuery
    encoded: Mapping[Role, EncodedQuery] = {}
    """By role; without those that could not."""
    failed: Mapping[Role, str] = {}
    """Why they could not."""
    filters: Filters = NO_FILTERS
    """Asked of files, documents and passages besides."""
    within: Selection | None = None
    """The chunks that may answer; None for all."""
    picked: Picked | None = None
    is_question: bool = True
    """Else a passage, of which no curve tells how far its like is an answer."""
