"""What is read of a presentation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documents import places, read_here
from office import core, pptx, related, shape, xml

from pplx_local.documents.formats.format import About
from pplx_local.documents.kinds import kind_of
from pplx_local.errors import EmptyDocument, NoText, Unreadable

Read = Callable[[bytes], tuple[str, About]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes) -> tuple[str, About]:
        path = tmp_path / "a.pptx"
        path.write_bytes(data)
        text, about, breaks = read_here(path)
        slides = [one for one in about.segments if one.kind == "slide"]
        assert breaks == {slide.char_span.start for slide in slides}
        return text, about

    return read


def test_slides_come_in_the_order_in_which_they_are_shown(read: Read) -> None:
    slides = [
        shape("First", holds="ctrTitle") + shape("a", "b"),
        "",
        shape("c") + shape("Third", holds="title"),
    ]
    text, about = read(pptx(slides))
    assert places(text, about) == [
        ("slide", "1", "First\n\na\nb\n\n"),
        ("heading", "First", "First\n\na\nb\n\n"),
        ("slide", "3", "c\n\nThird\n\n"),
        ("heading", "Third", "c\n\nThird\n\n"),
    ]
    assert about.title == "First"
    assert about.metadata == {"slides": "3"}


def test_notes_and_comments_stay_with_their_slide(read: Read) -> None:
    parts = {
        "ppt/slides/_rels/s1.xml.rels": related(notesSlide="n.xml", comments="k.xml"),
        "ppt/slides/n.xml": xml(
            "p:notes",
            shape("Say hello", holds="body") + shape("7", holds="sldNum"),
        ),
        "ppt/slides/k.xml": xml("p:cmLst", "<p:cm><p:text>Really?</p:text></p:cm>"),
    }
    text, about = read(pptx([shape("one"), shape("two")], parts))
    assert places(text, about) == [
        ("slide", "1", "one\n\nReally?\n\nSay hello\n\n"),
        ("heading", "Notes", "Say hello\n\n"),
        ("slide", "2", "two\n\n"),
    ]


def test_what_is_on_every_slide_is_read_once(read: Read) -> None:
    slide = (
        shape("words")
        + shape("Secret", holds="ftr")
        + shape("17 May", holds="dt")
        + '<p:sp><a:p><a:fld type="slidenum"><a:t>1</a:t></a:fld></a:p></p:sp>'
    )
    assert read(pptx([slide, slide]))[0] == "words\n\nSecret\n\nwords\n\n"


def test_tables_groups_charts_and_fallbacks(read: Read) -> None:
    def cell(text: str) -> str:
        return (
            f"<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"
        )

    row = f"<a:tr>{cell('a')}{cell('b')}</a:tr>"
    slide = (
        '<p:pic><p:nvPicPr><p:cNvPr descr="A map"/></p:nvPicPr></p:pic>'
        f"<p:grpSp><p:grpSp>{shape('deep')}</p:grpSp></p:grpSp>"
        f"<p:graphicFrame><a:tbl>{row}{row}</a:tbl></p:graphicFrame>"
        '<p:graphicFrame><c:chart r:id="chart0"/></p:graphicFrame>'
        f"<mc:AlternateContent><mc:Choice>{shape('once')}</mc:Choice>"
        f"<mc:Fallback>{shape('once')}</mc:Fallback></mc:AlternateContent>"
    )
    chart = xml("c:chartSpace", "<c:strCache><c:v>May</c:v></c:strCache>")
    parts = {
        "ppt/slides/_rels/s0.xml.rels": related(chart="c.xml"),
        "ppt/slides/c.xml": chart,
    }
    text, _ = read(pptx([slide], parts))
    assert text == "A map\n\ndeep\n\na\tb\na\tb\n\nMay\n\nonce\n\n"


def test_a_slide_that_is_shown_again_is_read_once(read: Read) -> None:
    again = '<p:sldId r:id="slide0"/>' * 50_000
    presentation = xml("p:presentation", f"<p:sldIdLst>{again}</p:sldIdLst>")
    text, _ = read(pptx([shape("one")], {"ppt/presentation.xml": presentation}))
    assert text == "one\n\n"


def test_a_title_that_a_program_made_up_gives_way(read: Read) -> None:
    stated = {"docProps/core.xml": core(title="PowerPoint Presentation")}
    assert read(pptx([shape("Mine", holds="title")], stated))[1].title == "Mine"
    zero = {"docProps/core.xml": core(title="x", created="1601-01-01T00:00:00Z")}
    assert read(pptx([shape("words")], zero))[1].day is None


def test_a_damaged_slide_costs_no_other(read: Read) -> None:
    damaged = {"ppt/slides/s0.xml": "<p:sld"}
    text, about = read(pptx([shape("one"), shape("two")], damaged))
    assert places(text, about) == [("slide", "1", "one\n\n")]
    assert about.metadata["damaged_parts"] == "ppt/slides/s0.xml"
    with pytest.raises(Unreadable, match=r"damaged: its part ppt/slides/s0\.xml"):
        read(pptx([shape("two")], damaged))


def test_why_there_is_no_text(read: Read) -> None:
    with pytest.raises(NoText, match="1 picture and no text"):
        read(pptx([shape(" ")], {"ppt/media/1.png": b""}))
    with pytest.raises(EmptyDocument):
        read(pptx([]))


def test_names_of_presentations() -> None:
    for name in (b"a.pptx", b"a.pptm", b"A.PPSX"):
        assert kind_of(name).family == "slides"
