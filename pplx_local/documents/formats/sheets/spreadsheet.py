"""Spreadsheets: rows as lines with their cells between tabs, by sheet.

Rows stand as they are. The row that names the columns is a heading besides: a model reads
it above every passage of its sheet, where it tells phone numbers from salaries.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain, groupby

from pplx_local.documents.day import read_day
from pplx_local.documents.decode import decode_stream
from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import MAX_SEGMENTS, About, label
from pplx_local.documents.formats.office.ooxml import (
    note_core_facts,
    note_names,
    stated,
)
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.sheets.cells import range_name, row_text
from pplx_local.documents.formats.sheets.delimited import are_names
from pplx_local.documents.formats.sheets.sheet_asides import Aside, asides_of
from pplx_local.documents.formats.sheets.sheet_rows import Row, dense_rows, sparse_rows
from pplx_local.documents.formats.sheets.workbook import (
    Workbook,
    is_workbook,
    open_workbook,
    sheet_at,
)
from pplx_local.documents.formats.web.html_page import read_markup
from pplx_local.documents.kinds import Kind
from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.errors import EmptyDocument, Unreadable, Unsupported
from pplx_local.records import Segment, Span

_MAX_PLACES = 1_000
"""Places in a sheet: in a longer one several rows share theirs, since each hit looks
through all of them."""


_HEAD_ROWS = 10
"""The names of columns stand in one of these, below a title perhaps."""
_MOST_ROWS = 1 << 20
_FACTS = frozenset(
    {"dc:title", "dc:creator", "meta:initial-creator", "meta:creation-date"}
)
_TABLE = re.compile("<table", re.IGNORECASE)
_HEAD_CHARS = 1 << 16


class Spreadsheet:
    """The values of all sheets, hidden ones too, and what stands beside them."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._about = About()
        self._outline = Outline("heading")
        self._starts: list[int] = []
        self._n_chars = 0

    def pieces(self) -> Iterator[str]:
        """Give the rows of one sheet after the other, each sheet below its name."""
        data = self._source.read_all()
        if not data:
            raise EmptyDocument("empty")
        if is_workbook(data):
            yield from self._sheets(open_workbook(data))
        else:
            yield self._export(data)

    def _export(self, data: bytes) -> str:
        """Read what many a program exports under a spreadsheet's name: a page, or text.

        Raises:
            Unsupported: It is neither.
        """
        try:
            text = "".join(decode_stream([data]))
        except Unsupported as error:
            raise Unsupported("no spreadsheet, in spite of its name") from error
        is_page = _TABLE.search(text, 0, _HEAD_CHARS)
        return read_markup(text, self._outline) if is_page else text

    def _sheets(self, workbook: Workbook) -> Iterator[str]:
        self._note_facts(workbook.package)
        names = workbook.sheets.sheet_names
        damaged: list[str] = []
        for index, name in enumerate(names):
            try:
                yield from self._sheet(name, *_content(workbook, index, name))
            except Unreadable as error:
                damaged.append(name)
                refusal = error
        if not self._n_chars:
            raise refusal if damaged else EmptyDocument("no values in its sheets")
        self._about.metadata["sheets"] = str(len(names))
        if damaged:
            self._about.metadata["damaged_sheets"] = label(", ".join(damaged))

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the sheets that start in a block."""
        first = bisect_left(self._starts, char_start)
        last = bisect_left(self._starts, char_start + len(text))
        return [start - char_start for start in self._starts[first:last]]

    def about(self, n_chars: int) -> About:
        """Give sheets and cells, or the headings of an exported page."""
        self._about.segments += self._outline.segments(n_chars)
        self._about.segments.sort(
            key=lambda one: (one.char_span.start, -one.char_span.end)
        )
        return self._about

    def _note_facts(self, package: Package | None) -> None:
        """Take title, author and day from what the package says of itself."""
        if package is None:
            return
        with contextlib.suppress(Unreadable):
            note_core_facts(package, self._about)
            facts = stated(package, "meta.xml", _FACTS)
            if facts:
                author = facts.get("meta:initial-creator") or facts.get("dc:creator")
                note_names(self._about, facts.get("dc:title", ""), author or "")
                self._about.day = read_day(facts.get("meta:creation-date", ""))

    def _sheet(
        self, name: str, n_rows: int, rows: Iterator[Row], asides: list[Aside]
    ) -> Iterator[str]:
        """Give name and rows of a sheet; nothing where no cell is filled."""
        first = next(rows, None)
        if first is None and not asides:
            return
        start = self._n_chars
        self._starts.append(start)
        columns: tuple[int, str] | None = None
        yield self._written(f"{label(name)}\n\n")
        for block in _blocks(chain((first,) if first else (), rows), n_rows):
            columns = columns or self._columns(block)
            yield self._block(block)
        if columns:
            self._add("heading", columns[1], columns[0])
        for aside in asides:
            yield self._place(f"{clean(aside.text)}\n", aside.cell)
        yield self._written("\n")
        self._add("sheet", label(name), start)

    def _columns(self, rows: list[Row]) -> tuple[int, str] | None:
        """Find the row that names the columns: where it will start, and its names."""
        start = self._n_chars
        for row in rows:
            filled = [cell for cell in row.cells if cell]
            if row.number < _HEAD_ROWS and len(filled) > 1 and are_names(filled):
                return start, label(", ".join(filled))
            start += len(row_text(row.cells)) + 1
        return None

    def _block(self, rows: list[Row]) -> str:
        """Write rows that share a place."""
        first = rows[0].number, min(row.first for row in rows)
        last = rows[-1].number, max(row.last for row in rows)
        text = "".join(f"{row_text(row.cells)}\n" for row in rows)
        return self._place(text, range_name(first, last))

    def _place(self, text: str, cells: str) -> str:
        """Write a text that lies in these cells, if in any."""
        start = self._n_chars
        self._written(text)
        if cells:
            self._add("cell", cells, start)
        return text

    def _add(self, kind: str, words: str, start: int) -> None:
        """Add a place that ends here."""
        if kind != "cell" or len(self._about.segments) < MAX_SEGMENTS:
            span = Span(start, self._n_chars)
            self._about.segments.append(Segment(kind, words, span))

    def _written(self, text: str) -> str:
        self._n_chars += len(text)
        return text


def _content(
    workbook: Workbook, index: int, name: str
) -> tuple[int, Iterator[Row], list[Aside]]:
    """Give the number of rows that a sheet may have, those filled, and the rest."""
    package, part = workbook.package, workbook.parts.get(name)
    asides = asides_of(package, part) if package and part else []
    if package and part and name in workbook.wide:
        return _MOST_ROWS, sparse_rows(package, part), asides
    sheet = sheet_at(workbook, index)
    return sheet.total_height + 1, dense_rows(sheet), asides


def _blocks(rows: Iterator[Row], n_rows: int) -> Iterator[list[Row]]:
    """Put rows together that share a place, where there are many."""
    shared = -(-n_rows // _MAX_PLACES)
    for _, block in groupby(rows, key=lambda row: row.number // shared):
        yield list(block)
