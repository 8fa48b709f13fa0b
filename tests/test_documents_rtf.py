"""What is read of RTF."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from documents import read_here

from pplx_local.documents import Reader
from pplx_local.documents.formats import About
from pplx_local.errors import NoText, Unreadable

Read = Callable[[str], tuple[str, About]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(body: str) -> tuple[str, About]:
        path = tmp_path / "a.rtf"
        path.write_text(rf"{{\rtf1\ansi\deff0 {body}}}", encoding="latin-1")
        text, about, _ = read_here(path)
        return text.strip("\n"), about

    return read


def test_the_words_are_left_of_a_document(read: Read) -> None:
    text, about = read(
        r"{\fonttbl{\f0\fswiss Arial;}}{\colortbl;\red0\green0\blue0;}"
        r"{\info{\title A day}{\author Zo\'eb}{\creatim\yr2024\mo5\dy17\hr9}"
        r"{\*\company Nobody}}{\*\generator Word;}{\header\pard On each page\par}"
        r"\pard\b One\b0  word, \ldblquote two\rdblquote\~\emdash\line three\par "
        r"{\v hidden}{\pict\wmetafile8 00ffaa}{\field{\*\fldinst HYPERLINK x}"
        r"{\fldrslt a link}}{\object{\*\objdata 0102}{\result shown}} \{\\\}\par "
        "\\trowd a\\cell b\\cell\\row\nsplit by\r\n a line end in the file"
    )
    assert text == (
        "One word, “two” —\nthree\na linkshown {\\}\na\tb\t\n"
        "split by a line end in the file\nOn each page"
    )
    assert (about.title, about.day) == ("A day", date(2024, 5, 17))
    assert about.metadata == {"author": "Zoë"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2", "Привет"),
        (r"{\fonttbl{\f0 A;}{\f3\fcharset128 B;}}\f3 \'93\'fa\'96\'7b", "日本"),
        (r"{\fonttbl{\f3\fcharset128 B;}}\f3 \'83e\'83X\'83g", "テスト"),
        (r"{\fonttbl{\f3\fcharset238 B;}}{\f3 \'f8} \'f8", "ř ø"),
        (r"\u8220?Zitat\u8221\'94 {\uc0\u252}\u-10179?\u-8704?", "“Zitat” ü😀"),
        (r"\uc2\u26085\'93\'fa\u26412 ab.", "日本."),
        (r"\u55357? alone", "\ufffd alone"),
        (r"\f0\u-3913?point", "•point"),
        ("Größe", "Größe"),
        (r"\ansicpg99999 a\'e9", "aé"),
    ],
)
def test_characters_are_decoded_in_all_the_ways_there_are(
    read: Read, body: str, text: str
) -> None:
    assert read(body)[0] == text


def test_headings_are_told_by_their_level_or_style(read: Read) -> None:
    text, about = read(
        r"{\stylesheet{\s0 Normal;}{\s1\b\outlinelevel0 Titel;}{\s2 heading 2;}}"
        r"\pard\s1 One\par\pard text\par\pard\s2 Two\par\pard\s0 text\par"
        r"\pard\outlinelevel2 Three\par\pard\outlinelevel9 text"
    )
    assert [
        (label, text[span.start : span.end]) for _, label, span in about.segments
    ] == [
        ("One", text),
        ("Two", "Two\ntext\nThree\ntext"),
        ("Three", "Three\ntext"),
    ]


def test_notes_stand_behind_their_paragraph(read: Read) -> None:
    note = r"{\footnote\pard a note\par with two}{\*\annotation a comment}"
    assert read(rf"before{note} after\par next")[0].split("\n")[0] == "before after"
    lines = set(read(rf"before{note} after\par next")[0].split("\n"))
    assert lines == {"before after", "a note", "with two", "a comment", "next"}


def test_a_mark_inside_of_a_group_hides_nothing(read: Read) -> None:
    assert read(r"{\b\*\cs7 The quick fox}{\*\unknown no}")[0] == "The quick fox"


@pytest.mark.parametrize(
    "body",
    [
        r"{\pict\bin999999999 xx} needle",
        r"{\pict\bin3 }}} } needle",
        r"\bin-5 needle",
        "{" * 50_000 + "needle" + "}" * 50_000,
        "needle" + r"\u" * 50_000,
        r"{\fonttbl{\f99999999 x" + r"\fcharset999999999}} needle",
        r"{\info{\creatim\yr99999999\mo99\dy0}} needle",
        r"needle\'zz\'",
    ],
)
@pytest.mark.timeout(20)
def test_hostile_rtf_is_read(read: Read, body: str) -> None:
    assert "needle" in read(body)[0]


def test_pictures_alone_are_no_text(read: Read) -> None:
    with pytest.raises(NoText, match="nothing but pictures"):
        read(r"\par{\*\shppict{\pict\pngblip 00ff}}\par")


def test_groups_without_end_are_refused(read: Read) -> None:
    with pytest.raises(Unreadable, match="too deep in each other"):
        read("{" * 200_000)


def test_rtf_comes_through_the_child(tmp_path: Path) -> None:
    path, wrong = tmp_path / "a.rtf", tmp_path / "b.rtf"
    path.write_bytes(rb"{\rtf1 some words}")
    wrong.write_bytes(b"PK\3\4")
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        reading = reader.read(os.fsencode(path))
        assert "".join(block.text for block in reading).strip() == "some words"
        assert reading.document.parser == "rtf"
        with pytest.raises(Unreadable, match="no RTF in it"):
            list(reader.read(os.fsencode(wrong)))
