"""Tables in text files: the text as it is written, below the names of its columns.

The names are a heading: a model reads them above every passage, where they tell a list
of phone numbers from one of salaries.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.text import Text
from pplx_local.records import Segment, Span

_HEAD_CHARS = 1 << 14
_ROWS_LOOKED_AT = 20
_DELIMITERS = ",;\t|"
_REGULAR = 0.8
"""Share of the rows that are as wide as most, at least: prose has commas too."""


class Delimited(Text):
    """CSV and TSV, whatever stands between two cells."""

    def pieces(self) -> Iterator[str]:
        """Decode the file, and keep its beginning."""
        self._head = ""
        for piece in super().pieces():
            if len(self._head) < _HEAD_CHARS:
                self._head += piece[:_HEAD_CHARS]
            yield piece

    def about(self, n_chars: int) -> About:
        """Give what the columns are called, where the first row says it."""
        is_tabbed = self._kind.label == "TSV"
        columns = column_names(self._head, "\t" if is_tabbed else _DELIMITERS)
        if columns:
            names = label(", ".join(columns))
            self._about.metadata["columns"] = names
            self._about.segments = [Segment("heading", names, Span(0, n_chars))]
        return self._about


def column_names(head: str, delimiters: str) -> list[str]:
    """Read the names of a table's columns from the beginning of its text.

    Args:
        head: The text, perhaps not all of it.
        delimiters: What may stand between two cells.

    Returns:
        The names; none where the text is no table, or its first row holds values.
    """
    # A row that the end cuts off is none.
    lines = head[: head.rfind("\n") + 1].splitlines(keepends=True)
    tables = [_rows(lines, delimiter) for delimiter in delimiters]
    rows = max(filter(_is_table, tables), key=lambda rows: len(rows[0]), default=[])
    names = [cell.strip() for cell in rows[0]] if rows else []
    return names if are_names(names) else []


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        return [row for row in islice(reader, _ROWS_LOOKED_AT) if row]
    except csv.Error:  # a cell without end
        return []


def _is_table(rows: list[list[str]]) -> bool:
    """Say whether nearly all rows have the same number of cells, as the first has."""
    if len(rows) < 2:
        return False
    width, n_rows = Counter(map(len, rows)).most_common(1)[0]
    return len(rows[0]) == width > 1 and n_rows >= _REGULAR * len(rows)


def are_names(cells: Sequence[str]) -> bool:
    """Say whether cells can be the names of columns: different words."""
    return len(set(cells)) == len(cells) and all(map(_is_name, cells))


def _is_name(cell: str) -> bool:
    is_number = cell.strip("%€$£ ")[:1].isdigit()
    return not is_number and any(map(str.isalpha, cell))
