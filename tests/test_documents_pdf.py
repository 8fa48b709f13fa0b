"""PDF as prose: lines, columns, running headers, bookmarks, notes, what a file states."""

from __future__ import annotations

import hashlib
import sys
import time
import zlib
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace

import pypdfium2 as pdfium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pplx_local.documents import Reader, pipeline_of
from pplx_local.documents.blocks import WORKING, cut
from pplx_local.documents.formats.pdf import Pdf, recognition
from pplx_local.documents.formats.pdf.lines import Line
from pplx_local.documents.formats.pdf.margins import without_margins
from pplx_local.documents.formats.pdf.order import in_reading_order
from pplx_local.documents.formats.pdf.pages import Page
from pplx_local.documents.formats.pdf.prose import Vocabulary, prose
from pplx_local.documents.kinds import kind_of
from pplx_local.documents.recognizers import TESSERACT, recognizer
from pplx_local.documents.source import Source
from pplx_local.errors import NoText, Unreadable
from pplx_local.records import Document

Placed = tuple[float, float, str]
"""Left and bottom in points, and the words of a line in 10-point Courier."""

LETTER = 6.0
"""The width of each letter."""


def written(
    *pages: Iterable[Placed],
    catalog: str = "",
    info: str = "",
    page: str = "",
    objects: Sequence[str] = (),
) -> bytes:
    """Write a PDF by hand. `objects` get the numbers from 100 on, pages those from 10."""
    kids = " ".join(f"{10 + 2 * i} 0 R" for i in range(len(pages)))
    bodies = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
        4: f"<< {info} >>",
        **dict(enumerate(objects, 100)),
    }
    for i, lines in enumerate(pages):
        shown = " ".join(f"1 0 0 1 {x} {y} Tm ({words}) Tj" for x, y, words in lines)
        stream = f"BT /F1 10 Tf {shown} ET"
        bodies[10 + 2 * i] = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources"
            f" << /Font << /F1 3 0 R >> >> /Contents {11 + 2 * i} 0 R {page} >>"
        )
        bodies[11 + 2 * i] = f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"
    return assembled(bodies)


def assembled(bodies: dict[int, str], trailer: str = "") -> bytes:
    out, table = "%PDF-1.7\n", ""
    for number, body in sorted(bodies.items()):
        table += f"{number} 1\n{len(out):010} 00000 n \n"
        out += f"{number} 0 obj\n{body}\nendobj\n"
    return (
        f"{out}xref\n{table}trailer\n<< /Size {max(bodies) + 1} /Root 1 0 R"
        f" /Info 4 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF"
    ).encode("latin-1")


def column(
    *lines: str, left: float = 72, top: float = 700, step: float = 12
) -> list[Placed]:
    """Place lines below each other; an empty one leaves room."""
    return [(left, top - i * step, words) for i, words in enumerate(lines) if words]


@pytest.fixture
def read(tmp_path: Path):
    def read(data: bytes) -> tuple[str, Document]:
        path = tmp_path / "a.pdf"
        path.write_bytes(data)
        with Source(bytes(path)) as source:
            pdf = Pdf(source, kind_of(b"a.pdf"))
            text = "".join(pdf.pieces())
            pdf.breaks(0, text)
            return text, pdf.about(len(text))

    return read


def headings(text: str, about) -> dict[str, str]:
    return {
        one.label: text[one.char_span.start :].partition("\n")[0]
        for one in about.segments
        if one.kind == "heading"
    }


# --- paragraphs --------------------------------------------------------------


def test_lines_become_paragraphs(read) -> None:
    lines = column(
        "The belt drives the camshaft and has to be",
        "changed in time, or else valves and pistons",
        "meet.",
        "Short lines such as this one end paragraphs,",
        "and so does more room between two lines.",
        "",
        "After a gap there is another block of lines.",
    )
    assert read(written(lines))[0] == (
        "The belt drives the camshaft and has to be changed in time, or else valves and"
        " pistons meet.\nShort lines such as this one end paragraphs, and so does more"
        " room between two lines.\n\nAfter a gap there is another block of lines.\n\n"
    )


def test_an_indented_line_starts_a_paragraph_but_a_hanging_one_does_not(read) -> None:
    first = [
        (72, 700, "A first paragraph that fills its lines up to"),
        (72, 688, "the very end of the line, as this one does."),
        (90, 676, "And a second one, which begins further in"),
        (72, 664, "and goes on at the margin like the others."),
    ]
    hanging = [
        (72, 600, "Ada Lovelace. Notes on the Analytical Engine"),
        (90, 588, "and on what it may weave, first translation."),
        (72, 576, "Alan Turing. On Computable Numbers with appl"),
        (90, 564, "ications to the problem, London Mathematical."),
    ]
    text, _ = read(written(first + hanging))
    assert text.split("\n") == [
        "A first paragraph that fills its lines up to the very end of the line, as this"
        " one does.",
        "And a second one, which begins further in and goes on at the margin like the"
        " others.",
        "",
        "Ada Lovelace. Notes on the Analytical Engine and on what it may weave, first"
        " translation.",
        "Alan Turing. On Computable Numbers with appl ications to the problem, London"
        " Mathematical.",
        "",
        "",
    ]


def test_items_of_a_list_stay_on_lines_of_their_own(read) -> None:
    lines = column("1. one thing that is to be done", "2. another thing to be done")
    assert read(written(lines))[0].count("\n2. another") == 1


@pytest.mark.parametrize(
    ("said", "broken", "mended"),
    [
        ("", ("a mis-", "leading end"), "misleading"),
        ("a well-known rule", ("a well-", "known rule here"), "well-known"),
        (
            "the state-of-the-art",
            ("some state-of-the-", "art thing"),
            "state-of-the-art",
        ),
        ("a question, an answer", ("one question-", "answer pair"), "question-answer"),
        ("", ("by the Navier-", "Stokes equations"), "Navier-Stokes"),
        ("", ("since the COVID-", "19 pandemic"), "COVID-19"),
    ],
)
def test_a_hyphen_goes_only_from_the_middle_of_a_word(
    read, said: str, broken: tuple[str, str], mended: str
) -> None:
    text, _ = read(written(column(said, "", *broken)))
    assert text.count(mended) == 1 + (mended in said)


def test_a_sentence_goes_on_in_the_next_column(read) -> None:
    left = column("One column ends in the middle", "of a sentence, so that it")
    right = column("goes on at the top of the next", left=320)
    assert "so that it goes on at the top" in read(written(left + right))[0]


def test_ligatures_and_accents_are_letters(read) -> None:
    font = (
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding << /Differences"
        " [1 /fi /e /acutecomb] >> /ToUnicode 101 0 R >>"
    )
    cmap = "1 beginbfrange <01> <01> <FB01> endbfrange 1 beginbfrange <03> <03> <0301>"
    stream = f"begincmap 1 begincodespacerange <00> <ff> endcodespacerange {cmap}"
    stream += " endbfrange 2 beginbfchar <02> <0065> <41> <0041> endbfchar endcmap"
    unicode_map = f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"
    data = written([(72, 700, r"A\001A\002\003")], objects=(font, unicode_map))
    text, _ = read(data.replace(b"/F1 3 0 R", b"/F1 100 0 R", 1))
    assert text.strip() == "AfiAé"


# --- order -------------------------------------------------------------------

LEFT = (
    "The left column tells of the",
    "harbour and of the ships that",
    "lie in it through the winter",
    "until the ice has gone away.",
)
RIGHT = (
    "The right column tells of the",
    "market, where fish is sold by",
    "those who went out at night",
    "and came home with the tide.",
)


def test_columns_that_the_file_has_row_by_row_are_read_one_after_the_other(
    read,
) -> None:
    rows = [
        placed
        for i, pair in enumerate(zip(LEFT, RIGHT, strict=True))
        for placed in zip((72, 320), (680 - 12 * i,) * 2, pair, strict=True)
    ]
    title = (72, 720, "A title that goes across both of the columns of this page")
    text, _ = read(written([title, *rows]))
    assert " ".join(text.split()) == " ".join((title[2], *LEFT, *RIGHT))


def test_lines_from_the_bottom_up_are_turned_round(read) -> None:
    text, _ = read(written(reversed(column(*LEFT, *RIGHT))))
    assert " ".join(text.split()) == " ".join((*LEFT, *RIGHT))


def test_the_rows_of_a_table_stay_together(read) -> None:
    cells = [("Berlin", "Germany"), ("Vienna", "Austria"), ("Bern", "Switzerland")] * 2
    rows = [
        placed
        for i, pair in enumerate(cells)
        for placed in zip((72, 320), (680 - 12 * i,) * 2, pair, strict=True)
    ]
    assert read(written(rows))[0].startswith("Berlin Germany\nVienna Austria\n")


def test_a_turned_page_reads_as_it_is_shown(read) -> None:
    lines = [
        f"0 1 -1 0 {100 + 12 * i} 72 Tm ({words}) Tj" for i, words in enumerate(LEFT)
    ]
    shown = " ".join(lines)
    data = written([(0, 0, "@")], page="/Rotate 90")
    stream = f"BT /F1 10 Tf {shown} ET"
    body = f"11 0 obj\n<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"
    start, end = (
        data.index(b"11 0 obj"),
        data.index(b"\nendobj", data.index(b"11 0 obj")),
    )
    text, _ = read(data[:start] + body.encode() + data[end:])
    assert " ".join(text.split()) == " ".join(LEFT)


SOME_LINES = st.lists(
    st.builds(
        lambda left, bottom, width, words: Line(
            words, left, bottom, left + width, bottom + 10.0
        ),
        st.integers(0, 500).map(float),
        st.integers(0, 700).map(float),
        st.integers(5, 300).map(float),
        st.sampled_from(["a", "some words that are as long as a line of prose"]),
    ),
    max_size=30,
)


@given(SOME_LINES)
def test_no_order_loses_a_line(lines: list[Line]) -> None:
    for split in (None, lines):
        assert sorted(in_reading_order(lines, split)) == sorted(lines)


@given(SOME_LINES, st.lists(st.booleans(), min_size=30, max_size=30))
def test_every_line_is_where_prose_says(lines: list[Line], broken: list[bool]) -> None:
    lines = [
        line._replace(is_broken=is_broken)
        for line, is_broken in zip(lines, broken, strict=False)
    ]
    text, starts = prose(lines, Vocabulary())
    for start, line in zip(starts, lines, strict=True):
        assert text.startswith(line.text, start)
    assert len(text) <= sum(len(line.text) + 2 for line in lines)


# --- running headers ---------------------------------------------------------


def report(n_pages: int) -> list[list[Placed]]:
    return [
        [
            (72, 760, "Report on Harbours"),
            *column(f"Exercise {number}", *LEFT, *RIGHT),
            (300, 30, str(number + 6)),
        ]
        for number in range(1, n_pages + 1)
    ]


def test_running_headers_stay_once_and_page_numbers_go(read) -> None:
    text, _ = read(written(*report(5)))
    assert text.startswith("Report on Harbours\n\nExercise 1")
    assert text.count("Report on Harbours") == 1
    assert not [line for line in text.split("\n") if line.isdecimal()]
    assert [f"Exercise {number}" in text for number in range(1, 6)] == [True] * 5


def test_headers_of_left_and_right_pages_take_turns(read) -> None:
    heads = islice(cycle(("The Author", "The Title of the Book")), 6)
    pages = [
        [(72, 760, head), *body[1:]]
        for head, body in zip(heads, report(6), strict=True)
    ]
    text, _ = read(written(*pages))
    assert text.count("The Author") == text.count("The Title of the Book") == 1


def test_what_counts_on_otherwise_than_the_pages_stays(read) -> None:
    tops = ("Table 2: fish", "Table 4: nets", "Table 6: rope", "Table 8: salt")
    pages = [
        [(72, 760, top), *body[1:]] for top, body in zip(tops, report(4), strict=True)
    ]
    text, _ = read(written(*pages))
    assert all(top in text for top in tops)


@given(
    st.lists(
        st.lists(
            st.sampled_from(["Head", "1", "2", "Table 1", "ii", "x 3"]), max_size=9
        ),
        max_size=12,
    )
)
def test_margins_lose_no_word_that_occurs_once(pages: list[list[str]]) -> None:
    def page(texts: list[str]) -> Page:
        lines = [
            Line(text, 72.0, 700.0 - 12 * i, 200.0, 710.0 - 12 * i)
            for i, text in enumerate(texts)
        ]
        return Page(lines, [], has_text=bool(lines))

    kept = list(without_margins(map(page, pages)))
    assert len(kept) == len(pages)
    there = {line.text for page in kept for line in page.lines}
    texts = [text for one in pages for text in one]
    worded = {text for text in texts if text in ("Head", "Table 1", "x 3")}
    once = {text for text in texts if texts.count(text) == 1}
    assert worded | once <= there


# --- places ------------------------------------------------------------------


def outline(*entries: str) -> tuple[str, list[str]]:
    """Make bookmarks that follow each other, as catalog entry and objects."""
    root = f"<< /First 101 0 R /Last {100 + len(entries)} 0 R /Count {len(entries)} >>"
    made = [
        f"<< /Parent 100 0 R {entry}"
        + (f" /Next {102 + i} 0 R" if i + 1 < len(entries) else "")
        + " >>"
        for i, entry in enumerate(entries)
    ]
    return "/Outlines 100 0 R", [root, *made]


def test_bookmarks_are_headings_where_they_point(read) -> None:
    catalog, objects = outline(
        "/Title (Ships) /Dest [10 0 R /XYZ 72 712 0]",
        "/Title (Fish) /Dest [10 0 R /XYZ 72 640 0]",
        "/Title (Elsewhere) /Dest [10 0 R /XYZ 72 612 0]",
        "/Title (Last) /Dest [12 0 R /Fit]",
    )
    body = column("1 Ships", "", *LEFT, "2 Fish", "", *RIGHT)
    text, about = read(
        written(body, column("Another page"), catalog=catalog, objects=objects)
    )
    found = headings(text, about)
    assert found["Ships"] == "1 Ships"
    assert found["Fish"].startswith("2 Fish")
    assert found["Elsewhere"].startswith("The right column")
    assert found["Last"] == "Another page"
    kinds = [(one.kind, one.label) for one in about.segments]
    assert kinds[0] == ("page", "1")
    assert [one.char_span.start for one in about.segments] == sorted(
        one.char_span.start for one in about.segments
    )


def test_an_outline_in_a_circle_ends(read) -> None:
    catalog, objects = outline("/Title (Ships) /Dest [10 0 R /Fit] /Next 101 0 R")
    text, about = read(written(column("Ships"), catalog=catalog, objects=objects))
    assert headings(text, about) == {"Ships": "Ships"}


def test_pages_without_text_are_named(read) -> None:
    pages = [column("words")] + [[]] * 3 + [column("more")] + [[]]
    _, about = read(written(*pages))
    assert about.metadata["pages_without_text"] == "4 of 6: 2-4, 6"


# --- what else is on a page --------------------------------------------------


def test_comments_and_form_values_are_read(read) -> None:
    objects = (
        "<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (ask the captain) >>",
        "<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /Contents (in red ink) >>",
        "<< /Type /Annot /Subtype /Widget /Rect [0 0 9 9] /FT /Tx /T (f1)"
        " /TU (Name of the ship) /V (Barnacle) >>",
        "<< /Type /Annot /Subtype /Widget /Rect [0 0 9 9] /FT /Btn /T (f2) /V /Yes >>",
        "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Contents (a link) >>",
    )
    numbers = " ".join(f"{100 + i} 0 R" for i in range(len(objects)))
    text, _ = read(
        written(
            column("The page"),
            page=f"/Annots [{numbers}]",
            catalog="/AcroForm << /Fields [102 0 R 103 0 R] >>",
            objects=objects,
        )
    )
    assert text == (
        "The page\n\nask the captain\nin red ink\nName of the ship: Barnacle\n\n"
    )


def test_a_pdf_states_author_language_and_attachments(read) -> None:
    names = "/Names << /EmbeddedFiles << /Names [(f) 100 0 R] >> >> /Lang (de-CH)"
    _, about = read(
        written(
            column("Seiten"),
            catalog=names,
            info="/Author (Ada Lovelace) /Title (Notes)",
            objects=("<< /Type /Filespec /F (table.xlsx) /UF (table.xlsx) >>",),
        )
    )
    assert (about.title, about.language) == ("Notes", "de")
    assert about.metadata == {
        "author": "Ada Lovelace",
        "attachments": "table.xlsx",
        "pages": "1",
    }


def xmp(body: str, head: str = "") -> str:
    return (
        f'{head}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="2021-03-04">'
        f"<dc:format>application/pdf</dc:format>{body}</rdf:Description></rdf:RDF>"
        "</x:xmpmeta>"
    )


def metadata_stream(packet: str) -> str:
    return (
        f"<< /Type /Metadata /Subtype /XML /Length {len(packet)} >>\nstream\n{packet}\n"
        "endstream"
    )


def test_xmp_states_what_the_info_does_not(read) -> None:
    packet = xmp(
        "<dc:title><rdf:Alt><rdf:li>Tides</rdf:li></rdf:Alt></dc:title><dc:creator>"
        "<rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Alan</rdf:li></rdf:Seq></dc:creator>"
    )
    picture = packet.replace("application/pdf", "image/jpeg").replace("Tides", "A sea")
    objects = [metadata_stream(packet), metadata_stream(picture)]
    _, about = read(written(column("w"), catalog="/Metadata 100 0 R", objects=objects))
    assert (about.title, about.metadata["author"]) == ("Tides", "Ada, Alan")
    assert str(about.day) == "2021-03-04"


def test_xmp_with_entities_is_passed_over(read) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    packet = xmp("<dc:title>&a;</dc:title>").replace(
        "<x:xmpmeta", f"<x:xmpmeta>{bomb}<x:xmpmeta", 1
    )
    text, about = read(written(column("words"), objects=[metadata_stream(packet)]))
    assert (text, about.title) == ("words\n\n", None)


def rc4(key: bytes, data: bytes) -> bytes:
    box, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def test_a_pdf_that_only_its_owner_may_change_is_read(read) -> None:
    pad = bytes.fromhex(
        "28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a"
    )
    owner, number = b"o" * 32, b"i" * 16
    rights = (-64).to_bytes(4, "little", signed=True)
    key = hashlib.md5(pad + owner + rights + number).digest()[:5]
    stream = b"BT /F1 10 Tf 72 700 Td (for all to read) Tj ET"
    stream_key = hashlib.md5(key + bytes([11, 0, 0, 0, 0])).digest()[:10]
    sealed = rc4(stream_key, stream).decode("latin-1")
    bodies = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: "<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
        4: "<< >>",
        5: f"<< /Filter /Standard /V 1 /R 2 /P -64 /O <{owner.hex()}>"
        f" /U <{rc4(key, pad).hex()}> >>",
        10: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources"
        " << /Font << /F1 3 0 R >> >> /Contents 11 0 R >>",
        11: f"<< /Length {len(stream)} >>\nstream\n{sealed}\nendstream",
    }
    trailer = f"/Encrypt 5 0 R /ID [<{number.hex()}> <{number.hex()}>]"
    assert read(assembled(bodies, trailer))[0] == "for all to read\n\n"


def test_pages_that_are_no_pages_are_damage_and_no_scan(read) -> None:
    bodies = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>",
        4: "<< >>",
    }
    with pytest.raises(Unreadable, match="damaged: none of its pages can be opened"):
        read(assembled(bodies))


def test_glyphs_of_which_no_letter_is_known_are_no_letters(read) -> None:
    stream = "BT /F1 10 Tf 72 700 Td (seen) Tj /F2 10 Tf <03F203920003> Tj ET"
    bodies = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: "<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
        4: "<< >>",
        5: "<< /Type /Font /Subtype /Type0 /BaseFont /Unknown /Encoding /Identity-H"
        " /DescendantFonts [6 0 R] >>",
        6: "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Unknown /CIDSystemInfo"
        " << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 600"
        " /FontDescriptor 7 0 R >>",
        7: "<< /Type /FontDescriptor /FontName /Unknown /Flags 4 >>",
        10: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources"
        " << /Font << /F1 3 0 R /F2 5 0 R >> >> /Contents 11 0 R >>",
        11: f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    }
    assert read(assembled(bodies))[0] == "seen\n\n"


# --- pictures of text --------------------------------------------------------

needs_tesseract = pytest.mark.skipif(
    recognizer() != TESSERACT, reason="Tesseract is not on this computer"
)


def scan(*pages: Iterable[Placed]) -> bytes:
    """Write pages as pictures of text."""
    objects, n = [], len(pages)
    document = pdfium.PdfDocument(written(*pages))
    for page in document:
        picture = page.render(scale=2, grayscale=True).to_numpy()
        height, width = picture.shape[:2]
        data = zlib.compress(picture.tobytes()).decode("latin-1")
        objects.append(
            f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height}"
            f" /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
            f" /Length {len(data)} >>\nstream\n{data}\nendstream"
        )
    out = written(*([] for _ in pages), objects=objects)
    for i in range(n):
        shown = b"BT /F1 10 Tf  ET"
        stream = b"q 612 0 0 792 0 0 cm /I Do Q"
        out = out.replace(b"/Length %d" % len(shown), b"/Length %d" % len(stream), 1)
        out = out.replace(shown, stream, 1)
        fonts = b"<< /Font << /F1 3 0 R >> >>"
        out = out.replace(fonts, b"<< /XObject << /I %d 0 R >> >>" % (100 + i), 1)
    return out


@needs_tesseract
def test_text_in_pictures_is_recognised_where_it_is_wanted(
    read, tmp_path: Path
) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(scan(column(*LEFT), []))
    with pytest.raises(NoText, match=r"2 pages .*The setting ocr"):
        read(path.read_bytes())
    with Reader(
        timeout_s=600, memory_bytes=10**9, max_file_bytes=10**8, ocr=True
    ) as reader:
        reading = reader.read(bytes(path))
        text = "".join(block.text for block in reading)
    assert text == " ".join(LEFT) + "\n\n"
    metadata = reading.document.metadata
    assert metadata["pages_read_by_ocr"] == "1"
    assert metadata["pages_without_text"] == "1 of 2: 2"


def test_another_way_of_reading_is_another_pipeline() -> None:
    plain, looked = pipeline_of(b"a.pdf"), pipeline_of(b"a.pdf", ocr=True)
    assert (plain != looked) == (recognizer() is not None)
    assert pipeline_of(b"a.md", ocr=True) == pipeline_of(b"a.md")


def test_without_a_recogniser_a_scan_says_what_to_install(
    read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(NoText, match=r"1 page .*install the package tesseract-ocr"):
        read(written([]))


@pytest.fixture
def slow_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes longer than it may, whatever it is asked."""
    slow = tmp_path / "tesseract"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.usefixtures("slow_tesseract")
def test_huge_pages_and_slow_recognisers_give_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognition, "_languages", lambda: "eng")
    document = pdfium.PdfDocument.new()
    started = time.monotonic()
    assert recognition.recognized(document.new_page(14_000, 14_000), 0.2) == []
    assert recognition.recognized(document.new_page(612, 792), 0.2) == []
    assert time.monotonic() - started < 10


@pytest.mark.usefixtures("slow_tesseract")
def test_a_recogniser_that_does_not_list_its_languages_gives_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a machine that is too busy: next time it may."""
    monkeypatch.setattr(recognition, "_LIST_S", 0.2)
    recognition._languages.cache_clear()
    page = pdfium.PdfDocument.new().new_page(612, 792)
    assert recognition.recognized(page, 5.0) == []
    assert not recognition._languages.cache_info().currsize


def test_lines_that_a_mac_sees_are_placed_in_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = [("Ships lie here", 1.0, (0.1, 0.8, 0.5, 0.02)), (" ", 1.0, (0, 0, 1, 1))]
    modules = {
        "PIL.Image": SimpleNamespace(fromarray=lambda picture: picture),
        "ocrmac.ocrmac": SimpleNamespace(
            OCR=lambda image: SimpleNamespace(recognize=lambda: seen)
        ),
    }
    monkeypatch.setattr(recognition, "import_module", modules.__getitem__)
    monkeypatch.setattr(recognition, "recognizer", lambda: "ocrmac")
    page = pdfium.PdfDocument.new().new_page(600, 1000)
    (line,) = recognition.recognized(page, 1.0)
    assert line.text == "Ships lie here"
    assert line[1:5] == pytest.approx((60, 800, 360, 820), abs=1)


def test_word_of_work_passes_a_cut_without_a_border() -> None:
    assert list(cut(["a", WORKING, "b"])) == [WORKING, "ab"]
