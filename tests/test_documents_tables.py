"""Spreadsheets and data: what is read of them, and where it says it lies."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from documents import Read
from hypothesis import given
from hypothesis import strategies as st

from pplx_local.documents.formats import format_of
from pplx_local.documents.formats.json_text import laid_out, unescaped
from pplx_local.documents.formats.sheets.cells import cell_text, range_name, row_text
from pplx_local.documents.kinds import kind_of
from pplx_local.documents.source import Source
from pplx_local.errors import EmptyDocument, Unreadable, Unsupported
from pplx_local.records import Document

_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_OFFICE}/spreadsheetml/2006/main"'
_ODF = "urn:oasis:names:tc:opendocument:xmlns"


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
    table = "Item\tCost\nRent\t900\nsee below\n"
    assert places(text, document, "heading") == {"Item, Cost": table}
    kinds = [segment.kind for segment in document.segments]
    assert kinds == ["sheet", "heading", "cell", "cell", "cell", "sheet", "cell"]


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
        *(
            (True, "TRUE"),
            (1234567890123451.0, "1234567890123451"),
            (1e20, "1e+20"),
            (" a\n\tb\x07 ", "a b"),
            ("", ""),
        ),
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


def test_what_stands_beside_the_cells_is_read_below_them(read: Read) -> None:
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    parts = {
        "xl/worksheets/_rels/worksheet1.xml.rels": relations(
            "../comments1.xml", "../drawings/drawing1.xml"
        ),
        "xl/comments1.xml": f'<comments {_MAIN}><commentList><comment ref="B2"><text>'
        "<r><t>Kim:</t></r><r><t>\ntoo dear</t></r></text></comment></commentList>"
        "</comments>",
        "xl/drawings/drawing1.xml": f'<d xmlns:a="{drawing}/main"><a:p><a:r><a:t>a box'
        "</a:t></a:r><a:r><a:t> of text</a:t></a:r></a:p></d>",
    }
    text, document = read("a.xlsx", xlsx({"A": row(2, "", 900)}, **parts))
    assert text == "A\n\n900\nKim: too dear\na box of text\n\n"
    assert places(text, document, "cell") == {"B2": "Kim: too dear\n"}
    assert places(text, document, "sheet") == {"A": text}
    parts["xl/drawings/drawing1.xml"] = "<d><broken"
    assert "Kim: too dear" in read("b.xlsx", xlsx({"A": ""}, **parts))[0]


def test_a_spreadsheet_says_who_made_it_and_when(read: Read) -> None:
    facts = (
        '<c xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>Plan</dc:title>'
        "<dc:creator>Kim Lee</dc:creator><dcterms:created>2024-05-17T08:00:00Z"
        "</dcterms:created></c>"
    )
    content = xlsx({"A": row(1, "x")}, **{"docProps/core.xml": facts})
    _, document = read("a.xlsx", content)
    assert (document.title, document.day) == ("Plan", date(2024, 5, 17))
    assert document.metadata["author"] == "Kim Lee"


def test_a_page_or_a_text_that_calls_itself_a_spreadsheet_is_read(read: Read) -> None:
    page = "<html><h1>May</h1><table><tr><td>Rent<td>900</table>"
    text, document = read("a.xls", page)
    assert text == "May\n\nRent\t900"
    assert list(places(text, document, "heading")) == ["May"]
    assert read("b.xls", "Rent\t900\n")[0] == "Rent\t900\n"


# --- spreadsheets that mean harm ---------------------------------------------


def test_cells_far_apart_are_read_without_what_lies_between(read: Read) -> None:
    shared = f"<sst {_MAIN}><si><t>far</t></si><si><r><t>a</t></r><t>way</t></si></sst>"
    last = '<c r="XFD1048576" t="s"><v>1</v></c>'
    rows = f"<row>{cell('A1', 'near')}{cell('B1', 7.0)}</row><row>{last}</row>"
    parts = {"xl/sharedStrings.xml": shared}
    text, document = read("a.xlsx", xlsx({"A": rows, "B": row(1, "x")}, **parts))
    assert text == "A\n\nnear\t7\naway\n\nB\n\nx\n\n"
    assert list(places(text, document, "cell")) == ["A1:B1", "XFD1048576", "A1"]


def test_how_a_word_sounds_is_none_of_its_cell(read: Read) -> None:
    guide = '<rPh sb="0" eb="2"><t>トウキョウ</t></rPh>'
    shared = f"<sst {_MAIN}><si><t>東京</t>{guide}</si></sst>"
    beside = f'<row><c r="B2" t="inlineStr"><is><t>京都</t>{guide}</is></c></row>'
    last = '<row><c r="XFD1048576" t="s"><v>0</v></c></row>'
    parts = {
        "xl/sharedStrings.xml": shared,
        "xl/worksheets/_rels/worksheet1.xml.rels": relations("../comments1.xml"),
        "xl/comments1.xml": f'<comments {_MAIN}><commentList><comment ref="B2"><text>'
        f"<r><t>大阪</t></r>{guide}</text></comment></commentList></comments>",
    }
    text, _ = read("a.xlsx", xlsx({"A": beside + last}, **parts))
    assert text.split() == ["A", "京都", "東京", "大阪"]
    text, _ = read("b.xlsx", xlsx({"A": beside}, **parts))
    assert text.split() == ["A", "京都", "大阪"]


def test_cells_that_are_only_coloured_are_no_cells(read: Read) -> None:
    rows = f'<row>{cell("A1", 1)}</row><row><c r="XFD1048576" s="1"/></row>'
    assert read("a.xlsx", xlsx({"A": rows}))[0] == "A\n\n1\n\n"


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
        list(format_of(kind_of(os.fsencode(path)), source).pieces())


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"", EmptyDocument, "empty"),
        (bytes(range(256)) * 9, Unsupported, "no spreadsheet, in spite"),
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


def test_a_part_that_cannot_be_unpacked_costs_its_own_sheet_alone(read: Read) -> None:
    content = xlsx(
        {"A": row(1, "lost"), "B": row(1, "kept")}, **{"xl/theme.xml": "<t/>"}
    )
    for name, text in (("worksheet1.xml", "B\n\nkept\n\n"), ("theme.xml", None)):
        place = content.index(name.encode()) + len(name)
        broken = content[:place] + b"\xff" * 3 + content[place + 3 :]
        whole = "A\n\nlost\n\nB\n\nkept\n\n"
        assert read("a.xlsx", broken)[0] == (text or whole)


def test_a_workbook_without_values_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx({"A": "", "B": ""}))
    kind = kind_of(os.fsencode(path))
    with (
        Source(os.fsencode(path)) as source,
        pytest.raises(EmptyDocument, match="no values"),
    ):
        list(format_of(kind, source).pieces())


# --- tables as text ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table", "columns"),
    [
        ("a.csv", "name,cost\nrent,900\nwater,30\n", "name, cost"),
        ("a.csv", 'Name;Preis\n"Wasser; kalt";1,50\nBrot;3,20\n', "Name, Preis"),
        ("a.tsv", "a key\tvalue, if any\nb\t1, 2\n", "a key, value, if any"),
        ("a.csv", "rent,900\nwater,30\n", None),
        ("a.csv", "2024-01-02,rent\n2024-01-03,water\n", None),
        ("a.csv", "Dear all,\nwe met, and talked, and left.\nBye,\n", None),
        ("a.csv", 'a,b\n"never closed, ' + "word " * 40_000, None),
        ("a.csv", ",".join(f"c{i}" for i in range(20_000)) + "\n1\n", None),
    ],
)
def test_a_table_stays_as_it_is_written_and_names_its_columns(
    read: Read, name: str, table: str, columns: str | None
) -> None:
    text, document = read(name, table)
    assert text == table
    assert document.metadata.get("columns") == columns
    headings = places(text, document, "heading")
    assert headings == ({columns: table} if columns else {})


# --- JSON --------------------------------------------------------------------


def test_json_that_a_person_laid_out_keeps_its_lines(read: Read) -> None:
    written = r"""{
  "city": "K\u00f6ln \ud83d\ude00 \ud83d",
  "path": "C:\\temp\/new",
  "note": "one\ntwo \"three\"\u0000"
}
"""
    assert read("a.json", written)[0] == (
        '{\n  "city": "Köln 😀 \ufffd",\n  "path": "C:\\temp/new",\n'
        '  "note": "one two "three" "\n}\n'
    )


def test_json_of_one_line_is_laid_out(read: Read) -> None:
    records = [
        {"name": "Straße 1", "tags": ["old", "b\nc"], "at": {"x": 1.5, "y": None}},
        {"name": "Two", "lines": [[1, 2], [3, 4]], "picture": "iVBOR" * 400},
    ]
    text, _ = read("a.json", json.dumps({"title": "Places", "records": records}))
    assert text == (
        "title: Places\nrecords:\n\n"
        "  name: Straße 1\n  tags: old, b c\n  at:\n    x: 1.5\n    y: null\n\n"
        "  name: Two\n  lines:\n  1, 2\n  3, 4\n  picture: …"
    )


def test_json_lines_stay_lines_however_long(read: Read) -> None:
    lines = "".join(json.dumps({"id": i, "text": "word " * 400}) + "\n" for i in (1, 2))
    assert read("a.jsonl", lines)[0] == lines


RECORDS = json.dumps([{"a": 'é "\\/\n', "b": [1, "x😀"], "c d": [[{"e": None}], {}]}])


@given(cuts=st.lists(st.integers(0, len(RECORDS)), max_size=8))
def test_json_reads_the_same_however_it_comes(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(RECORDS)]
    pieces = [RECORDS[a:b] for a, b in pairwise(edges)]
    for way in (laid_out, unescaped):
        whole = "".join(way(iter((RECORDS,))))
        assert "".join(way(iter(pieces))) == whole
        assert "x😀" in whole


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 50_000,
        '{"a":' * 20_000,
        "\\" * 100_000,
        '"' + '\\"' * 200_000,
        ":" * 99_999,
    ],
)
def test_hostile_json_takes_no_longer_than_other_text(hostile: str) -> None:
    for way in (laid_out, unescaped):
        assert "".join(way(iter((hostile, ' "needle"')))).strip('" ').endswith("needle")


def test_json_without_a_word_is_empty(read: Read) -> None:
    with pytest.raises(EmptyDocument, match="brackets without a word"):
        read("a.json", "[" * 3_000 + "]" * 3_000)


# --- notebooks ---------------------------------------------------------------

CELLS = [
    {"cell_type": "markdown", "source": ["# Rain\n", "\n", "Its sums.\n"]},
    {
        "cell_type": "code",
        "source": "# no heading\nprint(rain)",
        "outputs": [
            {"output_type": "stream", "text": ["\x1b[31m12 mm\x1b[0m\n"]},
            {"output_type": "display_data", "data": {"image/png": "iVBOR" * 9_000}},
            {"output_type": "execute_result", "data": {"text/plain": "x" * 9_000}},
            {"output_type": "error", "ename": "KeyError", "evalue": "'may'"},
        ],
    },
    {"cell_type": "code", "source": [], "outputs": []},
    {"cell_type": "markdown", "source": "## Snow\n\n```\n# no heading"},
    {"cell_type": "markdown", "source": "## Ice"},
]
ABOUT = {
    "title": "Weather",
    "language_info": {"name": "python"},
    "authors": [{"name": "A. Nowak"}, {"name": "B. Lee"}],
}


def test_the_cells_of_a_notebook_are_places(read: Read) -> None:
    notebook = {"nbformat": 4, "metadata": ABOUT, "cells": CELLS}
    text, document = read("a.ipynb", json.dumps(notebook))
    cells = places(text, document, "cell")
    assert cells == {
        "1": "# Rain\n\nIts sums.\n\n",
        "2": "# no heading\nprint(rain)\n\n12 mm\n\n" + "x" * 2_000 + "\n\n"
        "KeyError: 'may'\n\n",
        "4": "## Snow\n\n```\n# no heading\n\n",
        "5": "## Ice\n\n",
    }
    assert "".join(cells.values()) == text
    assert list(places(text, document, "heading")) == ["Rain", "Snow", "Ice"]
    assert document.title == "Weather"
    assert document.metadata == {
        "code_language": "python",
        "author": "A. Nowak, B. Lee",
    }


def test_a_notebook_of_the_third_edition_is_read(read: Read) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Rain"},
        {"cell_type": "code", "input": "rain", "outputs": [{"text": ["12\n"]}]},
    ]
    text, document = read("a.ipynb", json.dumps({"worksheets": [{"cells": cells}]}))
    assert text == "## Rain\n\nrain\n\n12\n\n"
    assert list(places(text, document, "heading")) == ["Rain"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"cells": [{"source": ["ne\\u0065dle', '{"cells": [{"source": ["needle'),
        ("[" * 100_000, "[" * 100_000),
        ('{"cells": [{"source": null}, 5, {"source": "a", "outputs": 1}]}', "a\n\n"),
    ],
)
def test_a_broken_notebook_is_read_as_far_as_it_goes(
    read: Read, content: str, text: str
) -> None:
    assert read("a.ipynb", content)[0] == text


# --- calendars and contacts --------------------------------------------------


def test_the_entries_of_a_calendar_are_places(read: Read) -> None:
    calendar = (
        "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Home\r\nBEGIN:VEVENT\r\n"
        "DTSTART;TZID=Europe/Berlin:20240517T083000\r\nSUMMARY:Den\r\n tist\\, left\r\n"
        "DESCRIPTION:bring\\nthe card\r\nBEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\n"
        "END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20240518\r\nSUMMARY:Fair\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )
    text, document = read("a.ics", calendar)
    entries = places(text, document, "heading")
    assert entries["Dentist, left"].startswith(
        "BEGIN: VEVENT\nDTSTART: 2024-05-17 08:30\nSUMMARY: Dentist, left\n"
        "DESCRIPTION: bring the card\n"
    )
    assert entries["Fair"].startswith("BEGIN: VEVENT\nDTSTART: 2024-05-18\n")
    assert document.title == "Home"


def test_contacts_are_decoded_and_their_pictures_left_out(read: Read) -> None:
    contacts = (
        "BEGIN:VCARD\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen=\n"
        " Gro=C3=9F\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\n SkZJRg==\n"
        "item1.EMAIL:j@example.org\nEND:VCARD\n"
    )
    text, document = read("a.vcf", contacts)
    assert text == ("BEGIN: VCARD\nFN: Jürgen Groß\nEMAIL: j@example.org\nEND: VCARD\n")
    assert list(places(text, document, "heading")) == ["Jürgen Groß"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "hostile", ["a\n b" * 200_000, "X" * 3_000_000, "A;QUOTED-PRINTABLE:=\n" * 50_000]
)
def test_hostile_cards_take_no_longer_than_other_text(read: Read, hostile: str) -> None:
    assert "needle" in read("a.vcf", hostile + "\nneedle")[0]
