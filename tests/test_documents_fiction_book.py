"""What is read of a FictionBook, and of what Apple's programs write."""

# ruff: noqa: RUF001  Cyrillic is full of letters that look like others

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from office import packed
from test_documents_formats import pdf

from pplx_local.documents.formats.books.fiction_book import FictionBook
from pplx_local.documents.formats.format import About, Format
from pplx_local.documents.formats.office.apple import Apple
from pplx_local.documents.kinds import kind_of
from pplx_local.documents.source import Source
from pplx_local.errors import EmptyDocument, Unreadable, Unsupported

BOOK = """<?xml version="1.0" encoding="windows-1251"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description>
<title-info><author><first-name>Лев</first-name><last-name>Толстой</last-name></author>
<book-title>Война</book-title><annotation><p>no</p></annotation>
<date>1869-01-01</date><lang>ru</lang></title-info><document-info><author>
<first-name>Bob</first-name></author></document-info></description><body>
<title><p>Война</p></title><section><title><p>Часть 1</p></title><section>
<title><p>I</p><p>Начало</p></title><p>Слова <emphasis>и</emphasis>
дела</p><poem><stanza><v>a</v><v>b</v></stanza><stanza><v>c</v></stanza></poem>
<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table></section>
</section><section><title><p>Часть 2</p></title><p>x</p></section></body>
<body><section><p>note</p></section></body><binary>AAAA</binary></FictionBook>"""


def read(reader: Format) -> tuple[str, About]:
    text = "".join(reader.pieces())
    return text, reader.about(len(text))


def test_a_book_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.fb2"
    path.write_text(BOOK, encoding="windows-1251")
    with Source(os.fsencode(path)) as source:
        reader = FictionBook(source, kind_of(b"a.fb2"))
        text, about = read(reader)
        assert text.split("\n\n") == [
            *("Война", "Часть 1", "I\nНачало", "Слова и дела", "a\nb", "c"),
            *("1\t2\n3\t4", "Часть 2", "x", "note"),
        ]
        starts = [one.char_span.start for one in about.segments]
        assert starts == reader.breaks(0, text)
    assert [(one.kind, one.label) for one in about.segments] == [
        ("chapter", label) for label in ("Война", "Часть 1", "I Начало", "Часть 2")
    ]
    assert (about.title, about.metadata) == ("Война", {"author": "Лев Толстой"})
    assert (about.day, about.language) == (date(1869, 1, 1), "ru")


@pytest.mark.parametrize(
    ("data", "error"), [(b"", EmptyDocument), (b"<a", Unreadable), (b"PK", Unreadable)]
)
def test_what_is_no_book(tmp_path: Path, data: bytes, error: type[Exception]) -> None:
    path = tmp_path / "a.fb2"
    path.write_bytes(data)
    with Source(os.fsencode(path)) as source, pytest.raises(error):
        read(FictionBook(source, kind_of(b"a.fb2")))


def test_the_preview_in_a_document_of_apple_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pages"
    path.write_bytes(packed({"QuickLook/Preview.pdf": pdf("One", "Two")}))
    with Source(os.fsencode(path)) as source:
        text, about = read(Apple(source, kind_of(b"a.pages")))
    assert text.split() == ["One", "Two"]
    assert [one.label for one in about.segments] == ["1", "2"]
    assert about.metadata["read_from"] == "QuickLook/Preview.pdf"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.pages", "export it from Pages as Word or PDF"),
        ("a.key", "export it from Keynote as PowerPoint or PDF"),
        ("a.numbers", "export it from Numbers as Excel or PDF"),
    ],
)
def test_without_a_preview_there_is_advice(
    tmp_path: Path, name: str, advice: str
) -> None:
    path = tmp_path / name
    path.write_bytes(packed({"Index/Document.iwa": b"x"}))
    with Source(os.fsencode(path)) as source, pytest.raises(Unsupported, match=advice):
        read(Apple(source, kind_of(os.fsencode(name))))
