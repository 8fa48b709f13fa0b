"""How far from a published figure a right checkpoint may come, by its precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Allowance(NamedTuple):
    """Bounds that a right checkpoint keeps."""

    cosine: float
    """A vector of codes against the published one, at least."""
    near_codes: float
    """Share of codes at most 1 from the published ones, at least."""
    cosine_off: float
    """Of the cosine of two texts."""
    row_off: float
    """Of MaxSim, for each row of the query. The published rows are float32 and ours
    int8, which moves a product of unit vectors of 128 dimensions by about 0.001; the rows
    of a query's expansion are much alike, so that their errors add up."""


_ALLOWED: Final[Mapping[str, Allowance]] = {
    # Sums in another order; a code moves by 1 where tanh lies on a rounding border.
    "float32": Allowance(0.9999, 0.99, 0.002, 0.002),
    # Mantissas of 8 bits: others found cosines of 0.9998 with float32. At the 0.999 that
    # is allowed, codes of the family are off by 1.7 in the mean.
    "bfloat16": Allowance(0.999, 0.50, 0.01, 0.004),
    # Weights are rounded too: others found 0.996 with 8 bits.
    "8bit": Allowance(0.99, 0.0, 0.03, 0.01),
    "4bit": Allowance(0.90, 0.0, 0.1, 0.03),
}


def allowance_for(dtype: str) -> Allowance:
    """Give the bounds for an encoder's `dtype`."""
    return _ALLOWED[dtype]
