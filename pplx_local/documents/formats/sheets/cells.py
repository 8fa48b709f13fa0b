"""Cells of a spreadsheet as a person sees them, and the names of their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from pplx_local.documents.formats.flow import clean

Cell = int | float | str | bool | time | date | datetime | timedelta

_EXACT = 2.0**53
_MAX_GAP = 8
"""Cells in a row that are left empty: more of them say no more than these."""


def cell_text(value: Cell) -> str:
    """Write the value of a cell on one line; empty for none."""
    match value:
        case str():
            return " ".join(clean(value).split())
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        case float():
            return f"{value:.15g}"  # what a spreadsheet keeps of a number
        case datetime():
            return _day_and_time(value)
        case time():
            return value.isoformat("seconds")
        case timedelta():
            return _duration(value)
        case _:
            return str(value)


def row_text(cells: Sequence[str]) -> str:
    """Join the cells from the first that is filled to the last: a tab between two."""
    line = "\t".join(cells).strip("\t")
    return _WIDE_GAP.sub(_GAP, line)


_GAP = "\t" * _MAX_GAP
_WIDE_GAP = re.compile(_GAP + "\t+")


def cell_name(row: int, column: int) -> str:
    """Name a cell, as "B7" for row 6 and column 1."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


def range_name(first: tuple[int, int], last: tuple[int, int]) -> str:
    """Name the cells between two corners, each row and column: "A12:F12", or "B7"."""
    names = (cell_name(*first), cell_name(*last))
    return ":".join(dict.fromkeys(names))


def _day_and_time(value: datetime) -> str:
    is_day = value.time() == time()
    return value.date().isoformat() if is_day else value.isoformat(" ", "seconds")


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
