"""Reading order: columns are mended where the content of a page runs across them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pplx_local.documents.formats.pdf.lines import Line

_MAX_LINES = 2_000
"""Pages of more lines are drawings or tables: their order is left alone."""

_MIN_LINES = 3
_MAX_CROSSING = 0.15
_MARGIN = 0.2
_MAX_JUMPS = 0.2
_MAX_DEPTH = 3
_PROSE_CHARS = 22


def in_reading_order(lines: list[Line], split: list[Line] | None = None) -> list[Line]:
    """Put the lines of a page into the order in which a person reads them.

    Args:
        lines: As the file has them. Where that is an order they are given back.
        split: The same, cut where a wide gap lies between two words; None where there
            are no such gaps. Only columns of prose are read one after the other: the
            rows of a table belong together.
    """
    if split and _MIN_LINES * 2 <= len(split) <= _MAX_LINES:
        columns = _columns(split)
        if columns and all(map(_is_prose, columns[:2])):
            return _by_columns(split)
    if len(lines) <= _MAX_LINES and _is_jumbled(lines):
        return _by_columns(lines)
    return lines


def _is_jumbled(lines: Sequence[Line]) -> bool:
    """Say whether lines jump up the page again and again, or from side to side."""
    pairs = list(pairwise(lines))
    up = sum(_is_above(line, last) for last, line in pairs)
    if up > max(2, _MAX_JUMPS * len(pairs)):
        return True
    aside = sum(not line.shares_column(last) for last, line in pairs)
    return aside > max(4, len(pairs) / 2) and _is_prose(lines)


def _is_above(line: Line, last: Line) -> bool:
    rise = line.bottom - last.bottom
    return rise > 0.5 * max(line.height, last.height) > 0 and line.shares_column(last)


def _is_prose(lines: Sequence[Line]) -> bool:
    return sum(len(line.text) for line in lines) > _PROSE_CHARS * len(lines)


def _by_columns(lines: Sequence[Line], depth: int = 0) -> list[Line]:
    """Read the page's bands from top to bottom, and their columns from left to right."""
    columns = _columns(lines) if depth < _MAX_DEPTH else None
    if columns is None:
        return _by_rows(lines)
    left, right, crossing = columns
    ordered: list[Line] = []
    ceiling = float("inf")
    for line in [*_by_rows(crossing), None]:
        floor = line.bottom if line else float("-inf")
        for column in (left, right):
            band = [one for one in column if floor < one.bottom <= ceiling]
            ordered += _by_columns(band, depth + 1)
        ordered += [line] if line else []
        ceiling = floor
    return ordered


def _columns(
    lines: Sequence[Line],
) -> tuple[list[Line], list[Line], list[Line]] | None:
    """Find two columns and what lies across both; None where there is no gutter."""
    if len(lines) < 2 * _MIN_LINES:
        return None
    gutter = _gutter(lines)
    left = [line for line in lines if line.right <= gutter]
    right = [line for line in lines if line.left >= gutter]
    crossing = [line for line in lines if line.left < gutter < line.right]
    enough = min(len(left), len(right)) >= _MIN_LINES
    few = len(crossing) <= _MAX_CROSSING * len(lines)
    return (left, right, crossing) if enough and few else None


def _gutter(lines: Sequence[Line]) -> float:
    """Find the place that the fewest lines cross, away from the page's sides."""
    lefts = sorted(line.left for line in lines)
    rights = sorted(line.right for line in lines)
    margin = _MARGIN * (rights[-1] - lefts[0])
    places = [one for one in rights if lefts[0] + margin < one < rights[-1] - margin]

    def crossed(place: float) -> int:
        return bisect_left(lefts, place) - bisect_right(rights, place)

    return min(places, key=crossed, default=lefts[0])


def _by_rows(lines: Iterable[Line]) -> list[Line]:
    """Sort by rows from the top, each from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.bottom):
        if rows and rows[-1][0].bottom - line.bottom < 0.5 * line.height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]
