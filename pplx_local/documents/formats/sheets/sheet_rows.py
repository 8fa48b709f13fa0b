"""The rows of a sheet that have something in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from python_calamine import CalamineSheet

from pplx_local.documents.formats.sheets.cells import cell_text
from pplx_local.documents.formats.sheets.rich_text import rich_texts, shown_events
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Characters, End, Start

_STRINGS = "xl/sharedStrings.xml"
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)


class Row(NamedTuple):
    """Cells in a row, from the first column that is looked at to the last."""

    number: int
    """From 0, as the columns."""
    first: int
    """Column of the first cell that is filled."""
    last: int
    cells: list[str]


def dense_rows(sheet: CalamineSheet) -> Iterator[Row]:
    """Give the rows of a sheet that was laid out, in order."""
    left = sheet.start[1] if sheet.start else 0
    for number, values in enumerate(sheet.iter_rows()):
        cells = [cell_text(value) for value in values]
        filled = [column for column, cell in enumerate(cells, left) if cell]
        if filled:
            yield Row(number, filled[0], filled[-1], cells)


def sparse_rows(package: Package, part: str) -> Iterator[Row]:
    """Give the rows of a sheet too wide to be laid out, each with its filled cells.

    Days come as the numbers that they are kept as.
    """
    strings = list(_strings(package)) if _STRINGS in package else []
    cells = _cells(package, part, strings)
    for number, row in groupby(cells, key=lambda cell: cell[0]):
        _, columns, texts = zip(*row, strict=True)
        yield Row(number, min(columns), max(columns), list(texts))


def _strings(package: Package) -> Iterator[str]:
    """Read the strings that cells refer to by their number."""
    return (text for _, text in rich_texts(package, _STRINGS, "x:si"))


def _cells(
    package: Package, part: str, strings: list[str]
) -> Iterator[tuple[int, int, str]]:
    """Read row, column and text of the cells that are filled."""
    place = kind = ""
    words: list[str] = []
    is_text = False
    for event in shown_events(package, part):
        match event:
            case Start("x:c", attributes):
                place, kind = attributes.get("r", ""), attributes.get("t", "")
            case Start("x:v" | "x:t", _):
                is_text = True
            case Characters(text) if is_text:
                words.append(text)
            case End("x:v" | "x:t"):
                is_text = False
            case End("x:c"):
                text = _value("".join(words), kind, strings)
                words.clear()
                corner = _PLACE.fullmatch(place)
                if text and corner:
                    yield int(corner[2]) - 1, column_number(corner[1]) - 1, text


def _value(written: str, kind: str, strings: list[str]) -> str:
    if kind == "s":
        is_known = written.isdecimal() and int(written) < len(strings)
        return cell_text(strings[int(written)]) if is_known else ""
    try:
        return cell_text(float(written) if kind in ("", "n") else written)
    except ValueError:
        return cell_text(written)


def column_number(letters: str) -> int:
    """Number a column, from 1 for A."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
