"""What is read of a book."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from documents import places, read_here
from office import epub

from pplx_local.documents.formats.format import About
from pplx_local.documents.kinds import kind_of
from pplx_local.errors import EmptyDocument, NoText, Unreadable

Read = Callable[[bytes], tuple[str, About]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes) -> tuple[str, About]:
        path = tmp_path / "a.epub"
        path.write_bytes(data)
        text, about, breaks = read_here(path)
        assert {one.char_span.start for one in about.segments} <= breaks
        return text, about

    return read


def page(body: str) -> str:
    return (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/>'
        f"</head><body>{body}</body></html>"
    )


PAGES = {
    "z%20z.xhtml": page("<h1>One</h1><p>a</p><h2>Aside</h2><p>b</p>"),
    "a.xhtml": page("<p>c</p><a id='two'/><h1>Two</h1>d<p id='deep'>e</p>"),
}
PLACES = [
    ("chapter", "One!", "One\n\na\n\nAside\n\nb\n\nc\n\n"),
    ("heading", "Aside", "Aside\n\nb\n\n"),
    ("chapter", "Two", "Two\n\nd\n\ne\n\n"),
    ("chapter", "Deep", "e\n\n"),
]


def test_chapters_come_from_the_contents_in_the_way_of_epub_3(read: Read) -> None:
    nav = (
        "<nav epub:type='landmarks'><ol><li><a href='a.xhtml'>Start</a></ol></nav>"
        "<nav epub:type='toc'><ol><li><a href='z%20z.xhtml'>One!</a></li><li>"
        "<a href='a.xhtml#two'>Two</a><ol><li><a href='a.xhtml#deep'>Deep</a></li>"
        "</ol></li><li><a href='http://example.org'>No</a></li></ol></nav>"
    )
    text, about = read(epub(PAGES, parts={"b/nav.xhtml": page(nav)}))
    assert text == "One\n\na\n\nAside\n\nb\n\nc\n\nTwo\n\nd\n\ne\n\n"
    assert places(text, about) == PLACES


def test_chapters_come_from_the_contents_in_the_way_of_epub_2(read: Read) -> None:
    def point(words: str, source: str, inner: str = "") -> str:
        return (
            f"<navPoint><navLabel><text>{words}</text></navLabel>"
            f'<content src="{source}"/>{inner}</navPoint>'
        )

    ncx = (
        '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://x/ncx-2005-1.dtd">'
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><docTitle><text>no</text>'
        f"</docTitle><navMap>{point('One!', 'z%20z.xhtml')}"
        f"{point('Two', 'a.xhtml#two', point('Deep', 'a.xhtml#deep'))}</navMap></ncx>"
    )
    text, about = read(epub(PAGES, parts={"b/toc.ncx": ncx}))
    assert places(text, about) == PLACES


def test_a_book_without_contents_has_headings(read: Read) -> None:
    for parts in ({}, {"b/toc.ncx": "<ncx"}, {"b/nav.xhtml": "\0"}):
        text, about = read(epub(PAGES, parts=parts))
        assert places(text, about) == [
            ("heading", "One", "One\n\na\n\nAside\n\nb\n\n"),
            ("heading", "Aside", "Aside\n\nb\n\n"),
            ("heading", "Two", "Two\n\nd\n\ne\n\n"),
        ]


def test_what_a_book_states(read: Read) -> None:
    facts = (
        "<dc:title>A day</dc:title><dc:title>and a night</dc:title>"
        "<dc:creator>Ada L.</dc:creator><dc:creator>Bob</dc:creator>"
        "<dc:date>soon</dc:date><dc:date>2024-05-17</dc:date>"
        "<dc:language>de-CH</dc:language>"
    )
    _, about = read(epub(PAGES, facts=facts))
    assert (about.title, about.language) == ("A day", "de")
    assert (about.metadata, about.day) == ({"author": "Ada L., Bob"}, date(2024, 5, 17))


def test_words_are_whole(read: Read) -> None:
    text, _ = read(epub({"a.html": page("<p>so\u00adft and s&shy;oft<br/>x</p>")}))
    assert text == "soft and soft\nx\n\n"


ENCRYPTED = """<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"
xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>
<enc:EncryptionMethod Algorithm="{how}"/><enc:CipherData>
<enc:CipherReference URI="{part}"/></enc:CipherData></enc:EncryptedData></encryption>"""


def test_a_locked_book_says_so(read: Read) -> None:
    aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    fonts = "http://www.idpf.org/2008/embedding"
    for how, part, is_locked in (
        (aes, "b/a.xhtml", True),
        (aes, "b/picture.jpg", False),
        (fonts, "b/font.otf", False),
    ):
        listed = ENCRYPTED.format(how=how, part=part)
        data = epub(PAGES, parts={"META-INF/encryption.xml": listed})
        if is_locked:
            with pytest.raises(Unreadable, match=r"protected \(DRM\)"):
                read(data)
        else:
            assert read(data)[0].startswith("One")


def test_a_part_that_comes_again_or_is_missing(read: Read) -> None:
    data = epub(PAGES)
    again = data.replace(b"b/a.xhtml", b"b/b.xhtml")
    assert read(again)[0] == "One\n\na\n\nAside\n\nb\n\n"
    order = '<itemref idref="i0"/>' * 50_000
    package = f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{{}}{order}'
    listed = package.format('<item id="i0" href="a.xhtml"/></manifest><spine>')
    looped = epub(PAGES, parts={"b/c.opf": listed + "</spine></package>"})
    assert read(looped)[0] == "c\n\nTwo\n\nd\n\ne\n\n"


def test_a_damaged_part_costs_no_other(read: Read) -> None:
    text, about = read(epub({**PAGES, "a.xhtml": "\0\x01\x02" * 99}))
    assert text == "One\n\na\n\nAside\n\nb\n\n"
    assert about.metadata == {"damaged_parts": "b/a.xhtml"}


def test_why_there_is_no_text(read: Read) -> None:
    with pytest.raises(NoText, match="1 picture and no text"):
        read(epub({"a.xhtml": page("<img src='1.jpg'/>")}, parts={"b/1.jpg": b""}))
    with pytest.raises(EmptyDocument):
        read(epub({"a.xhtml": page("")}))
    outside = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">{}'
    file = '<rootfile full-path="../../etc/passwd"/></container>'
    with pytest.raises(Unreadable, match=r"its part .*passwd is missing"):
        read(epub({}, parts={"META-INF/container.xml": outside.format(file)}))
    with pytest.raises(Unreadable, match="nothing says what the book consists of"):
        read(epub({}, parts={"META-INF/container.xml": "<container/>"}))


def test_names_of_books() -> None:
    assert kind_of(b"a.EPUB").family == "book"
