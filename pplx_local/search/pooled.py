"""A shortlist where there is no dense model: means of token vectors."""

from __future__ import annotations

from pplx_local.encoding import EncodedQuery
from pplx_local.reference import mean_vectors
from pplx_local.search.legs import DenseLeg
from pplx_local.search.spaces import SearchSpace
from pplx_local.store import Store


def pooled_leg(
    store: Store, late: SearchSpace | None, query: EncodedQuery | None
) -> DenseLeg | None:
    """Find chunks by the mean of their token vectors.

    Args:
        store: Where they lie.
        late: The late space; None without one.
        query: As the space's checkpoint encoded it; None where it could not.

    Returns:
        None where there are no such means, or nothing to ask for.
    """
    tokens = query.tokens if query else None
    if not (late and late.space.has_shortlist) or tokens is None:
        return None
    return (
        DenseLeg(store, late.space, mean_vectors(tokens)) if len(tokens.codes) else None
    )
