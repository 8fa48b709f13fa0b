"""Why a hit was found: what each leg gave for it, and which words met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from pplx_local.wording.excerpt import meant
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.answer import Hit, Leg

_Row = Sequence[str]
_LEGS: tuple[Leg, ...] = ("lexical", "dense", "late")
_GAP = "    "


def explanation(hit: Hit, width: int | None = None) -> Iterator[str]:
    """Lay out the two tables of a hit, a line at a time.

    Args:
        hit: With an explanation.
        width: Columns that there are. The tables stand beside each other where they
            fit, as they always do without a width.
    """
    legs = _aligned([("leg", "score", "rank", "adds"), *_legs(hit)], n_words=1)
    header = ("query", "passage", "similarity", "")
    met = list(_pairs(hit))
    pairs = _aligned([header, *met], n_words=2) if met else []
    both = list(_beside(legs, pairs))
    fits = width is None or max(map(cell_len, both)) <= width
    yield from both if fits or not met else map(str.rstrip, [*legs, "", *pairs])


def _beside(legs: Sequence[str], pairs: Sequence[str]) -> Iterator[str]:
    width = cell_len(legs[0])
    for left, right in zip_longest(legs, pairs, fillvalue=""):
        yield f"{left:<{width}}{_GAP}{right}".rstrip()


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
    for match in meant(hit):
        word = visible(hit.text[match.text_start : match.text_end])
        kind = "exact" if match.is_exact else ""
        yield visible(match.query_word), word, f"{match.similarity:.2f}", kind


def _aligned(rows: Sequence[_Row], *, n_words: int) -> list[str]:
    """Put cells below each other: the first columns are words, the others numbers.

    Widths are those of a terminal, where a Chinese character takes two columns.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            _padded(cell, width, to_the_right=column >= n_words)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _padded(cell: str, width: int, *, to_the_right: bool) -> str:
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if to_the_right else cell + blanks
