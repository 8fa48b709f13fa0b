"""What is read of texts and presentations in OpenDocument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from documents import places, read_here
from office import packed, xml

from pplx_local.documents.formats.format import About
from pplx_local.documents.kinds import kind_of
from pplx_local.errors import EmptyDocument, Unreadable

Read = Callable[[bytes], tuple[str, About]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes) -> tuple[str, About]:
        path = tmp_path / "a.odt"
        path.write_bytes(data)
        text, about, breaks = read_here(path)
        leading = ("slide", "heading")
        spans = [one[2] for one in about.segments if one.kind in leading]
        assert {0, *breaks} >= {span.start for span in spans if span.end == len(text)}
        return text, about

    return read


def odt(body: str, **parts: str) -> bytes:
    content = xml("office:document-content", f"<office:body>{body}</office:body>")
    others = {f"{name}.xml": part for name, part in parts.items()}
    return packed({"content.xml": content, **others})


def h(text: str, level: int = 1) -> str:
    return f'<text:h text:outline-level="{level}">{text}</text:h>'


def p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def test_a_text_has_headings_lists_tables_and_notes(read: Read) -> None:
    note = (
        "<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        f"{p('foot')}</text:note-body></text:note>"
    )
    comment = (
        "<office:annotation><dc:creator>Ada</dc:creator><dc:date>2024-05-17</dc:date>"
        f"{p('really?')}</office:annotation>"
    )
    picture = "<draw:frame><draw:image/><svg:desc>A map</svg:desc></draw:frame>"
    cells = "".join(f"<table:table-cell>{p(x)}</table:table-cell>" for x in "xy")
    row = f"<table:table-row>{cells}</table:table-row>"
    items = "".join(f"<text:list-item>{p(x)}</text:list-item>" for x in "12")
    body = (
        "<text:tracked-changes><text:deletion><text:p>gone</text:p></text:deletion>"
        f"</text:tracked-changes>{h('One')}"
        + p(
            f"a\n  <text:s text:c='2'/>b<text:tab/>c{picture}{note}{comment} d<text:line-break/>e"
        )
        + f"<text:list>{items}</text:list>"
        + f"<table:table>{row}{row}</table:table>{h('Two', 2)}{p('end')}"
    )
    text, about = read(odt(f"<office:text>{body}</office:text>"))
    assert text == (
        "One\n\na   b\tc d\ne\n\nA map\n\nfoot\n\nreally?\n\n1\n2\n\nx\ty\nx\ty\n\nTwo\n\nend"
    )
    assert places(text, about) == [
        ("heading", "One", text),
        ("heading", "Two", "Two\n\nend"),
    ]
    assert about.title == "One"


def test_slides_have_titles_and_notes(read: Read) -> None:
    def frame(holds: str, text: str) -> str:
        return (
            f'<draw:frame presentation:class="{holds}"><draw:text-box>{p(text)}'
            "</draw:text-box></draw:frame>"
        )

    notes = f"<presentation:notes>{frame('notes', 'Say hello')}</presentation:notes>"
    slides = (
        f"<draw:page>{frame('title', 'One')}{frame('page-number', '7')}"
        f"<draw:custom-shape>{p('a')}</draw:custom-shape>{notes}</draw:page>"
        f"<draw:page/><draw:page><draw:g>{frame('', 'c')}</draw:g></draw:page>"
    )
    text, about = read(odt(f"<office:presentation>{slides}</office:presentation>"))
    assert places(text, about) == [
        ("slide", "1", "One\n\na\n\nSay hello\n\n"),
        ("heading", "One", "One\n\na\n\nSay hello\n\n"),
        ("heading", "Notes", "Say hello\n\n"),
        ("slide", "3", "c\n\n"),
    ]
    assert (about.title, about.metadata) == ("One", {"slides": "3"})


META = """<office:meta><dc:title>A day</dc:title><dc:language>de-CH</dc:language>
<meta:initial-creator>Ada L.</meta:initial-creator><dc:creator>Bob</dc:creator>
<meta:creation-date>2024-05-17T10:00:00</meta:creation-date>
<meta:document-statistic meta:page-count="2"/></office:meta>"""


def test_what_is_stated_and_sure_pages(read: Read) -> None:
    page = "<text:soft-page-break/>"
    for between in (p("one") + page + p("two"), p("one") + p(f"{page}two")):
        data = odt(f"<office:text>{between}</office:text>", meta=xml("x", META))
        text, about = read(data)
        assert places(text, about) == [("page", "1", "one\n\n"), ("page", "2", "two")]
    assert (about.title, about.language) == ("A day", "de")
    assert about.day == date(2024, 5, 17)
    assert about.metadata == {"author": "Ada L."}
    longer = META.replace('count="2"', 'count="3"')
    sure = odt(f"<office:text>{between}</office:text>", meta=xml("x", longer))
    assert read(sure)[1].segments == []


def test_headers_and_footers_come_once(read: Read) -> None:
    running = "".join(
        f"<style:header>{p('Letter head')}</style:header><style:footer>{p('7')}"
        "</style:footer>"
        for _ in range(3)
    )
    data = odt(f"<office:text>{p('words')}</office:text>", styles=xml("x", running))
    assert read(data)[0] == "words\n\nLetter head"
    text, about = read(odt(f"<office:text>{p('words')}</office:text>", styles="<"))
    assert (text, about.metadata) == ("words", {"damaged_parts": "styles.xml"})


def test_a_flat_file_is_read_like_a_packed_one(read: Read) -> None:
    styles = f"<office:styles>{p('no')}</office:styles>"
    body = f"<office:body><office:text>{p('words')}</office:text></office:body>"
    text, about = read(xml("office:document", META + styles + body).encode())
    assert (text, about.title) == ("words", "A day")


def test_why_there_is_no_text(read: Read) -> None:
    listed = xml("manifest:manifest", "<manifest:encryption-data/>")
    with pytest.raises(Unreadable, match="encrypted: it needs a password"):
        read(packed({"META-INF/manifest.xml": listed, "content.xml": b"\0"}))
    with pytest.raises(EmptyDocument):
        read(odt(f"<office:text>{p(' ')}</office:text>"))
    with pytest.raises(EmptyDocument):
        read(xml("office:document", "<office:body/>").encode())
    with pytest.raises(Unreadable, match=r"its part content\.xml is missing"):
        read(packed({"x": b""}))
    with pytest.raises(Unreadable, match="declares entities"):
        read(b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')


def test_names_of_opendocument_files() -> None:
    kinds = {name: kind_of(name) for name in (b"a.odt", b"a.FODT", b"a.odp", b"a.otp")}
    assert {kind.family for kind in kinds.values()} == {"opendocument"}
    assert kinds[b"a.odp"].label == "slides"
