"""How sure a hit is and what was folded into it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pplx_local.wording.place import place_or_line
from pplx_local.wording.visible import visible, visible_path

if TYPE_CHECKING:
    from pplx_local.answer import Elsewhere, Hit

_LISTED = 5


def sureness(hit: Hit) -> str:
    """Say the confidence, or the score where there is no telling."""
    is_number = hit.confidence == hit.confidence
    return f"{hit.confidence:.2f}" if is_number else f"score {hit.score:.2f}"


def more_in_file(hit: Hit) -> str:
    """Say `3 more in this file: line 40, page 7, line 91`; nothing for none."""
    if not hit.more_in_file:
        return ""
    ordered = sorted(hit.more_in_file, key=lambda passage: passage.char_start)
    where = _listed([_where(passage) for passage in ordered])
    return f"{len(ordered)} more in this file: {where}"


def also_in(hit: Hit) -> str:
    """Say `also in: a.txt, b.txt (1 copy, 1 near-copy)`; nothing for none."""
    if not hit.same:
        return ""
    paths = _listed([visible_path(copy.path) for copy in hit.same])
    n_exact = sum(copy.is_exact for copy in hit.same)
    counts = (
        (n_exact, "copy", "copies"),
        (len(hit.same) - n_exact, "near-copy", "near-copies"),
    )
    kinds = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
    return f"also in: {paths} ({', '.join(kinds)})"


def _where(passage: Elsewhere) -> str:
    return visible(place_or_line(passage.place, passage.line))


def _listed(names: Sequence[str]) -> str:
    """List the first few, each once."""
    different = list(dict.fromkeys(names))
    said = ", ".join(different[:_LISTED])
    return f"{said}, ..." if len(different) > _LISTED else said
