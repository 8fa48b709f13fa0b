"""Spreadsheets and data: what is read of them, and where it says it lies."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from pplx_local.documents import Reader
from pplx_local.documents.formats import format_of
from pplx_local.documents.formats.cells import cell_text, range_name, row_text
from pplx_local.documents.formats.workbook import open_workbook
from pplx_local.documents.kinds import kind_of
from pplx_local.documents.source import Source
from pplx_local.errors import EmptyDocument, Unreadable, Unsupported
from pplx_local.records import Document

Read = Callable[[str, str | bytes], tuple[str, Document]]

_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_OFFICE}/spreadsheetml/2006/main"'
_ODF = "urn:oasis:names:tc:opendocument:xmlns"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        yield reader


@pytest.fixture
def read(reader: Reader, tmp_path: Path) -> Read:
    def read(name: str, content: str | bytes) -> tuple[str, Document]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        reading = reader.read(os.fsencode(path))
        text = "".join(block.text for block in reading)
        return text, reading.document

    return read


def places(text: str, document: Document, kind: str) -> dict[str, str]:
    return {
        segment.label: text[segment.char_span.start : segment.char_span.end]
        for segment in document.segments
        if segment.kind == kind
    }


def package(parts: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def relations(*targets: str) -> str:
    each = "".join(
        f'<Relationship Id="r{i}" Type="{_OFFICE}/officeDocument/2006/relationships/'
        f'{target.rpartition("/")[2].rstrip(".xml0123456789")}" Target="{target}"/>'
        for i, target in enumerate(targets, 1)
    )
    return (
        f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">{each}'
        "</Relationships>"
    )


def xlsx(sheets: dict[str, str], **parts: str) -> bytes:
    """Write a workbook of sheets, each of rows as XML."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>'
        for i, name in zip(numbers, sheets, strict=True)
    )
    names = f'xmlns:r="{_OFFICE}/officeDocument/2006/relationships"'
    return package(
        {
            "_rels/.rels": relations("xl/officeDocument.xml"),
            "xl/workbook.xml": f"<workbook {_MAIN} {names}><sheets>{listed}</sheets>"
            "</workbook>",
            "xl/_rels/workbook.xml.rels": relations(
                *(f"worksheets/worksheet{i}.xml" for i in numbers)
            ),
        }
        | {
            f"xl/worksheets/worksheet{i}.xml": f"<worksheet {_MAIN}><sheetData>{rows}"
            "</sheetData></worksheet>"
            for i, rows in zip(numbers, sheets.values(), strict=True)
        }
        | parts
    )


def cell(place: str, value: object) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def row(number: int, *values: object) -> str:
    cells = (cell(f"{chr(65 + i)}{number}", v) for i, v in enumerate(values) if v)
    return f'<row r="{number}">{"".join(cells)}</row>'


def ods(rows: str, manifest: str = "") -> bytes:
    names = " ".join(
        f'xmlns:{name}="{_ODF}:{name}:1.0"' for name in ("office", "table", "text")
    )
    return package(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest xmlns="{_ODF}:manifest:1.0">'
            f"{manifest}</manifest>",
            "content.xml": f"<office:document-content {names}><office:body>"
            f'<office:spreadsheet><table:table table:name="Haushalt">{rows}'
            "</table:table></office:spreadsheet></office:body>"
            "</office:document-content>",
        }
    )


# --- spreadsheets ------------------------------------------------------------


def test_the_rows_of_each_sheet_are_lines_below_its_name(read: Read) -> None:
    budget = row(1, "Item", "Cost") + row(2, "Rent", 900.0) + row(4, "", "see\nbelow")
    text, document = read(
        "a.xlsx", xlsx({"Budget": budget, "Empty": "", "Notes": row(3, "x")})
    )
    assert text == "Budget\n\nItem\tCost\nRent\t900\nsee below\n\nNotes\n\nx\n\n"
    assert places(text, document, "sheet") == {
        "Budget": "Budget\n\nItem\tCost\nRent\t900\nsee below\n\n",
        "Notes": "Notes\n\nx\n\n",
    }
    assert places(text, document, "cell") == {
        "A1:B1": "Item\tCost\n",
        "A2:B2": "Rent\t900\n",
        "B4": "see below\n",
        "A3": "x\n",
    }
    assert document.metadata["sheets"] == "3"


def test_an_open_document_spreadsheet_is_read_whatever_its_name_says(
    read: Read,
) -> None:
    filled = (
        '<table:table-cell office:value-type="{}" office:{}="{}"><text:p>{}</text:p>'
        "</table:table-cell>"
    )
    cells = filled.format("string", "string-value", "Miete", "Miete")
    cells += '<table:table-cell table:number-columns-repeated="2"/>'
    cells += filled.format("date", "date-value", "2024-05-17", "17.05.24")
    empty = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell'
    rows = f"<table:table-row>{cells}</table:table-row>{empty}/></table:table-row>"
    for name in ("a.ods", "a.xls"):
        text, document = read(name, ods(rows))
        assert text == "Haushalt\n\nMiete\t\t\t2024-05-17\n\n"
        assert list(places(text, document, "cell")) == ["A1:D1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((12.0, "12"), (0.1 + 0.2, "0.3"), (1599.99, "1599.99"), (-7, "-7")),
        *((True, "TRUE"), (1e20, "1e+20"), (" a\n\tb\x07 ", "a b"), ("", "")),
        (date(2024, 5, 17), "2024-05-17"),
        (datetime(2024, 5, 17), "2024-05-17"),
        (datetime(2024, 5, 17, 8, 30, 0, 703_000), "2024-05-17 08:30:00"),
        (time(8, 30), "08:30:00"),
        (timedelta(hours=30, seconds=5), "30:00:05"),
    ],
)
def test_values_are_written_as_a_person_sees_them(value: object, text: str) -> None:
    assert cell_text(value) == text  # type: ignore[arg-type]


def test_places_are_named_as_spreadsheets_name_them() -> None:
    assert range_name((0, 0), (0, 0)) == "A1"
    assert range_name((6, 1), (6, 25)) == "B7:Z7"
    assert range_name((0, 26), (1_048_575, 16_383)) == "AA1:XFD1048576"


def test_a_wide_gap_in_a_row_is_cut_short() -> None:
    assert row_text(["", "a", "", "b", *[""] * 300, "c", ""]) == f"a\t\tb{8 * chr(9)}c"


def test_the_rows_of_a_long_sheet_share_their_places(read: Read) -> None:
    rows = "".join(row(number, f"word{number}") for number in range(1, 3_501))
    text, document = read("a.xlsx", xlsx({"Long": rows}))
    cells = places(text, document, "cell")
    assert "".join(cells.values()) == text.removeprefix("Long\n\n").removesuffix("\n")
    assert len(cells) == 875
    assert cells["A1397:A1400"].startswith("word1397\n")


# --- spreadsheets that mean harm ---------------------------------------------


def test_cells_far_apart_are_not_laid_out(read: Read) -> None:
    rows = f"<row>{cell('A1', 1)}</row><row>{cell('XFD1048576', 2)}</row>"
    with pytest.raises(Unsupported, match="too far apart: one of them is XFD1048576"):
        read("a.xlsx", xlsx({"A": rows}))
    formatted = rows.replace('"XFD1048576"><v>2</v></c>', '"XFD1048576" s="1"/>')
    assert read("b.xlsx", xlsx({"A": formatted}))[0] == "A\n\n1\n\n"


def test_a_sheet_that_unpacks_to_far_too_much_is_refused(read: Read) -> None:
    bomb = xlsx({"A": " " * 30_000_000})
    with pytest.raises(Unreadable, match="too large when unpacked"):
        read("a.xlsx", bomb)


@pytest.mark.parametrize("name", ["EncryptedPackage", "Workbook"])
def test_an_encrypted_spreadsheet_asks_for_its_password(
    tmp_path: Path, name: str
) -> None:
    globals_ = b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12) + b"\x2f\x00\x36\x00"
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    data = compound + globals_ + bytes(400) + name.encode("utf-16-le")
    with pytest.raises(Unreadable, match="encrypted: it needs a password"):
        opened(tmp_path, data)


def opened(folder: Path, data: bytes) -> None:
    path = folder / "a.xlsx"
    path.write_bytes(data)
    with Source(os.fsencode(path)) as source:
        open_workbook(source)


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"", EmptyDocument, "empty"),
        (b"name,cost\nrent,900\n", Unsupported, "no spreadsheet, in spite"),
        (b"\x09\x04\x06\x00\x00\x00\x10\x00", Unsupported, "Excel 4 or older"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), Unreadable, "damaged"),
        (package({"a.txt": "x"}), Unreadable, "damaged"),
        (ods("", "<encryption-data/>"), Unreadable, "it needs a password"),
        (xlsx({"A": ""})[:-40], Unreadable, "damaged"),
    ],
)
def test_what_is_no_spreadsheet_says_why(
    tmp_path: Path, data: bytes, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        opened(tmp_path, data)


def test_one_damaged_sheet_does_not_cost_the_others(read: Read) -> None:
    text, document = read("a.xlsx", xlsx({"A": "<row><c><<", "B": row(1, "kept")}))
    assert text == "B\n\nkept\n\n"
    assert document.metadata["damaged_sheets"] == "A"
    with pytest.raises(Unreadable, match="damaged"):
        read("b.xlsx", xlsx({"A": "<row><c><<"}))


def test_a_workbook_without_values_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx({"A": "", "B": ""}))
    kind = kind_of(os.fsencode(path))
    with (
        Source(os.fsencode(path)) as source,
        pytest.raises(EmptyDocument, match="no values"),
    ):
        list(format_of(kind, source).pieces())
