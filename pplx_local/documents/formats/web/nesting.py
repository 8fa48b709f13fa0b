"""How deeply markup nests: parsers take the square of the time for it."""

from __future__ import annotations

import re

from pplx_local.errors import Unreadable

MAX_LEVELS = 10_000
"""Browsers stop at 512."""

_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]{0,50})")
_NAMES = (
    "area base br col embed hr img input link meta param source track wbr"
    " p li dt dd option optgroup td th tr thead tbody tfoot colgroup rt rp"
)
_NEVER_NESTED = frozenset(_NAMES.split())
"""They have no end, or end where the next one begins."""


def demand_shallow(markup: str) -> None:
    """Refuse markup whose elements lie in each other like Russian dolls.

    Raises:
        Unreadable: There are more levels than any page has.
    """
    level = 0
    for tag in _TAG.finditer(markup):
        if tag[2].lower() not in _NEVER_NESTED:
            level = max(level - 1, 0) if tag[1] else level + 1
        if level > MAX_LEVELS:
            raise Unreadable(f"made to do harm: over {MAX_LEVELS:,} elements deep")
