"""Why a hit was found: what each leg gave for it, and which words met."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from pplx_local.cli.show import visible

if TYPE_CHECKING:
    from pplx_local.answer import Hit, Leg, Match

_Row = Sequence[str]
_LEGS: tuple[Leg, ...] = ("lexical", "dense", "late")
_NUMBER = re.compile(r"-?[\d.]+|-|score|rank|adds")
"""With the names of their columns."""


def explanation(hit: Hit) -> Iterator[str]:
    """Lay out the two tables of a hit, a line at a time."""
    yield from _aligned([("leg", "score", "rank", "adds"), *_legs(hit)])
    if hit.matches:
        yield ""
        yield from _aligned([("similarity", "", "query", "passage"), *_pairs(hit)])


def _legs(hit: Hit) -> Iterator[_Row]:
    """One row for each leg that scored it, and their sum where they were fused."""
    for leg in _LEGS:
        if leg in hit.scores:
            rank, part = hit.ranks.get(leg), hit.parts.get(leg)
            yield (
                leg,
                f"{hit.scores[leg]:.3f}",
                "-" if rank is None else str(rank),
                "" if part is None else f"{part:.3f}",
            )
    if hit.parts:
        yield "hybrid", "", "", f"{hit.score:.3f}"


def _pairs(hit: Hit) -> Iterator[_Row]:
    for match in hit.matches:
        word = visible(hit.text[match.text_start : match.text_end])
        kind = "exact" if _is_exact(hit, match) else ""
        yield f"{match.similarity:.2f}", kind, visible(match.query_word), word


def _is_exact(hit: Hit, match: Match) -> bool:
    return any(
        start < match.text_end and match.text_start < end for start, end in hit.words
    )


def _aligned(rows: Sequence[_Row]) -> Iterator[str]:
    """Put cells below each other, numbers to the right of their column.

    Widths are those of a terminal, where a Chinese character takes two columns.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(_padded, row, widths)).rstrip()


def _padded(cell: str, width: int) -> str:
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if _NUMBER.fullmatch(cell) else cell + blanks
