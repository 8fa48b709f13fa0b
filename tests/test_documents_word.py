"""What is read of a document of Word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from documents import places, read_here
from office import core, docx, p, packed, r, related, xml

from pplx_local.documents.formats.format import About
from pplx_local.documents.kinds import kind_of
from pplx_local.errors import EmptyDocument, NoText, Unreadable

Read = Callable[[bytes], tuple[str, About]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes) -> tuple[str, About]:
        path = tmp_path / "a.docx"
        path.write_bytes(data)
        text, about, _ = read_here(path)
        return text, about

    return read


STYLES = xml(
    "w:styles",
    """
    <w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/>
    </w:style><w:style w:type="paragraph" w:styleId="Mein"><w:name w:val="Meine"/>
    <w:basedOn w:val="berschrift1"/></w:style>
    <w:style w:type="paragraph" w:styleId="Tief"><w:name w:val="Tief"/>
    <w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
    <w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>
    <w:style w:type="paragraph" w:styleId="HeadB"><w:name w:val="HeadB"/></w:style>
    <w:style w:type="paragraph" w:styleId="Liste"><w:name w:val="List Bullet"/>
    <w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>
    <w:style w:type="paragraph" w:styleId="Loop"><w:basedOn w:val="Loop"/></w:style>
    """,
)
STYLED = {
    "word/styles.xml": STYLES,
    "word/_rels/document.xml.rels": related(styles="styles.xml"),
}


def test_headings_are_found_by_what_their_styles_are(read: Read) -> None:
    body = (
        p("All of it", "Titel")
        + p("One", "berschrift1")
        + p("a", "Loop")
        + p("Two", "Tief")
        + p("b")
        + p("Three", "HeadB")
        + p("Four", "Mein")
        + '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Five</w:t></w:r></w:p>'
    )
    text, about = read(docx(body, STYLED))
    assert text == "All of it\n\nOne\n\na\n\nTwo\n\nb\n\nThree\n\nFour\n\nFive"
    assert about.title == "All of it"
    assert [label for _, label, _ in about.segments] == [
        *("One", "Two", "Three", "Four", "Five")
    ]
    assert places(text, about)[0][2] == "One\n\na\n\nTwo\n\nb\n\nThree\n\n"


def test_lists_are_lines_and_tables_are_rows(read: Read) -> None:
    def cells(*contents: str) -> str:
        return "".join(f"<w:tc>{content}</w:tc>" for content in contents)

    inner = f"<w:tbl><w:tr>{cells(p('x'), p('y'))}</w:tr></w:tbl>"
    table = (
        f"<w:tbl><w:tr>{cells(p('a') + p('b'), p(''), p('c'))}</w:tr>"
        f"<w:tr>{cells(p('d'), inner)}</w:tr></w:tbl>"
    )
    text, _ = read(docx(p("1", "Liste") + p("2", "Liste") + table + p("end"), STYLED))
    assert text == "1\n2\n\na\nb\tc\nd\nx\ty\n\nend"


def test_revisions_fields_and_signs(read: Read) -> None:
    def field(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    inside = f"{field('begin')}{r('x')}{field('separate')}{r('y')}{field('end')}"
    body = (
        f"<w:p><w:del>{r('no')}</w:del><w:ins>{r('yes')}</w:ins><w:r><w:tab/>"
        "<w:noBreakHyphen/><w:t>so\u00adft</w:t><w:softHyphen/><w:br/></w:r>"
        f"<w:moveFrom>{r('no')}</w:moveFrom><w:moveTo>{r('moved ')}</w:moveTo>"
        f"{field('begin')}<w:r><w:instrText>PAGE</w:instrText></w:r>{inside}"
        f"{field('separate')}{r('shown')}{field('end')}"
        f"<w:hyperlink>{r(' link')}</w:hyperlink></w:p><w:p>{field('begin')}</w:p>"
        + p("and on")
    )
    assert read(docx(body))[0] == "yes\t-soft\nmoved shown link\n\nand on"


def test_a_box_is_read_once_and_after_its_paragraph(read: Read) -> None:
    box = f"<w:txbxContent>{p('in the box')}</w:txbxContent>"
    drawn = (
        f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    )
    text, _ = read(docx(f"<w:p>{r('before')}<w:r>{drawn}</w:r>{r(' after')}</w:p>"))
    assert text == "before after\n\nin the box"


def test_notes_follow_their_paragraph_and_headers_come_once(read: Read) -> None:
    def note(kind: str, id_: int, text: str) -> str:
        return f'<w:{kind} w:id="{id_}">{p(text)}</w:{kind}>'

    body = (
        '<w:p><w:r><w:t>a</w:t><w:footnoteReference w:id="2"/><w:t>b</w:t>'
        '<w:endnoteReference w:id="1"/><w:commentReference w:id="0"/>'
        '<w:footnoteReference w:id="99"/></w:r></w:p>' + p("c")
    )
    parts = {
        "word/_rels/document.xml.rels": related(
            footnotes="footnotes.xml",
            endnotes="endnotes.xml",
            comments="comments.xml",
            header="h1.xml h2.xml h3.xml",
            footer="f.xml",
        ),
        "word/footnotes.xml": xml(
            "w:footnotes", note("footnote", 1, "other") + note("footnote", 2, "foot")
        ),
        "word/endnotes.xml": xml("w:endnotes", note("endnote", 1, "end")),
        "word/comments.xml": xml("w:comments", note("comment", 0, "really?")),
        "word/h1.xml": xml("w:hdr", p("Letter head")),
        "word/h2.xml": xml("w:hdr", p("Letter head")),
        "word/h3.xml": xml("w:hdr", p("- 7 -")),
        "word/f.xml": xml("w:ftr", p("Footer")),
    }
    text, _ = read(docx(body, parts))
    assert text.split("\n\n") == [
        *("Letter head", "ab", "foot", "end", "really?", "c", "Footer")
    ]


def test_what_stands_for_a_picture_and_pages_from_elsewhere(read: Read) -> None:
    def picture(words: str) -> str:
        return f'<w:r><docPr descr="{words}"/></w:r>'

    body = (
        f"<w:p>{picture('A map')}{r('words')}{picture('C:/a.png')}{picture('a.png')}"
        '</w:p><w:altChunk r:id="aFChunk0"/><w:altChunk r:id="none"/>'
    )
    parts = {
        "word/_rels/document.xml.rels": related(aFChunk="a.html"),
        "word/a.html": "<h1>From</h1><p>elsewhere",
    }
    assert read(docx(body, parts))[0] == "words\n\nA map\n\nFrom\n\nelsewhere"


def test_charts_and_diagrams_have_words(read: Read) -> None:
    drawings = '<w:p><w:r><c:chart r:id="chart0"/><dgm:relIds r:dm="diagramData0"/></w:r></w:p>'
    parts = {
        "word/_rels/document.xml.rels": related(chart="c.xml", diagramData="d.xml"),
        "word/c.xml": xml(
            "c:chartSpace",
            "<a:p><a:r><a:t>Sales</a:t></a:r></a:p><c:strCache><c:pt><c:v>May</c:v>"
            "</c:pt><c:pt><c:v>May</c:v></c:pt></c:strCache><c:numCache><c:v>7</c:v>"
            "</c:numCache>",
        ),
        "word/d.xml": xml("dgm:dataModel", "<a:p><a:r><a:t>Step</a:t></a:r></a:p>"),
    }
    assert read(docx(drawings, parts))[0] == "Sales\nMay\n\nStep"


def test_pages_are_places_where_word_counted_as_many(read: Read) -> None:
    page_break = "<w:r><w:lastRenderedPageBreak/></w:r>"
    body = p("one") + f"<w:p>{r(' two')}{page_break}{r('three')}</w:p>" + p("four")
    for n_pages, found in ((2, ["1", "2"]), (3, []), (1, [])):
        space = "http://schemas.openxmlformats.org/officeDocument/2006"
        app = (
            f'<Properties xmlns="{space}/extended-properties">'
            f"<Pages>{n_pages}</Pages></Properties>"
        )
        text, about = read(docx(body, {"docProps/app.xml": app}))
        assert [label for _, label, _ in about.segments] == found
    text, about = read(docx(body, {"docProps/app.xml": app.replace(">1<", ">2<")}))
    assert places(text, about) == [
        ("page", "1", "one\n\ntwo"),
        ("page", "2", "three\n\nfour"),
    ]


def test_a_document_says_who_wrote_it_and_when(read: Read) -> None:
    facts = core(title="A day", creator="Ada L.", created="2024-05-17T10:00:00Z")
    _, about = read(docx(p("words"), {"docProps/core.xml": facts}))
    assert (about.title, about.day) == ("A day", date(2024, 5, 17))
    assert about.metadata == {"author": "Ada L."}
    for title in ("Microsoft Word - a.doc", "Document1", " ", "thesis.docx"):
        made_up = docx(p("words"), {"docProps/core.xml": core(title=title)})
        assert read(made_up)[1].title is None
    assert read(docx(p("words"), {"docProps/core.xml": "<"}))[0] == "words"


def test_a_document_of_the_strict_kind_is_read(read: Read) -> None:
    document = xml("w:document", p("words"))
    usual = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    parts = {"word/document.xml": document.replace(usual, strict)}
    assert read(packed(parts))[0] == "words"


def test_why_there_is_no_text(read: Read) -> None:
    with pytest.raises(NoText, match="2 pictures and no text"):
        read(docx(p(" "), {"word/media/1.png": b"", "word/media/2.bin": b""}))
    with pytest.raises(EmptyDocument):
        read(docx(p(" "), {"docProps/thumbnail.jpeg": b""}))
    with pytest.raises(Unreadable, match=r"its part word/document\.xml is missing"):
        read(docx("").replace(b"word/document.xml", b"word/documint.xml"))


def test_a_damaged_part_beside_the_text_costs_no_more_than_itself(read: Read) -> None:
    parts = {
        "word/_rels/document.xml.rels": related(styles="s.xml", header="h.xml"),
        "word/s.xml": "<w:styles",
        "word/h.xml": xml("w:hdr", p("Letter head")).replace("</w:hdr>", "<"),
    }
    text, about = read(docx(p("words"), parts))
    assert text == "Letter head\n\nwords"
    assert about.metadata == {"damaged_parts": "word/s.xml, word/h.xml"}
    with pytest.raises(Unreadable, match="damaged: its XML breaks off"):
        read(packed({"word/document.xml": "<w:document"}))
    assert read(docx(p("words"), {"_rels/.rels": "<"}))[0] == "words"


def test_nested_tables_and_boxes_without_end(read: Read) -> None:
    deep = "<w:tbl><w:tr><w:tc>" * 1000 + p("deep") + "</w:tc></w:tr></w:tbl>" * 1000
    boxes = "<w:p><w:txbxContent>" * 1000 + p("deep") + "</w:txbxContent></w:p>" * 1000
    assert read(docx(deep + boxes))[0] == "deep\n\ndeep"


def test_names_of_word_documents() -> None:
    for name in (b"a.docx", b"a.docm", b"A.DOTX"):
        assert kind_of(name).family == "word"
