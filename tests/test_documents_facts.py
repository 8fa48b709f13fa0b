"""What a document is found to say about itself: its day, its language."""

# ruff: noqa: RUF001  Greek is full of letters that look like others

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_documents_formats import pdf

from pplx_local.documents import Reader, pipeline_of
from pplx_local.documents.day import read_day
from pplx_local.documents.language import language_of
from pplx_local.records import Document

Read = Callable[[str, str | bytes], Document]
MAY = date(2024, 5, 17)

TEXTS = {
    "en": "The committee met on Tuesday and discussed the budget for the coming year; "
    "most of the members agreed that the roof has to be repaired first.",
    "de": "Der Ausschuss traf sich am Dienstag und besprach den Haushalt des kommenden "
    "Jahres; die meisten meinten, dass zuerst das Dach erneuert werden muss.",
    "fr": "Le comité s'est réuni mardi pour discuter du budget de l'année prochaine ; "
    "la plupart des membres pensent qu'il faut d'abord réparer le toit.",
    "ru": "Комитет собрался во вторник и обсудил бюджет на следующий год; большинство "
    "согласилось, что сначала нужно починить крышу.",
    "el": "Η επιτροπή συνεδρίασε την Τρίτη και συζήτησε τον προϋπολογισμό του επόμενου "
    "έτους· οι περισσότεροι συμφώνησαν ότι πρώτα πρέπει να γίνει η στέγη.",
    "zh": "委员会星期二开会讨论了来年的年度预算，大多数成员同意必须先修理屋顶。",
    "ja": "委員会は火曜日に会合を開き、来年度の予算について話し合った。まず屋根を直す。",
    "ko": "위원회는 화요일에 모여 내년 예산을 논의했으며 대부분 지붕을 먼저 고쳐야 한다고 했다.",
    "he": "הוועדה נפגשה ביום שלישי ודנה בתקציב השנה הבאה; רוב החברים הסכימו שיש לתקן "
    "קודם את הגג ואחר כך את הקירות של הבית הישן ליד הנהר.",
}  # fmt: skip


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    folder = tmp_path_factory.mktemp("files")
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:

        def read(name: str, content: str | bytes) -> Document:
            path: Path = folder / name
            path.write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
            reading = reader.read(os.fsencode(path))
            for _ in reading:
                pass
            return reading.document

        yield read


# --- days --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("2024-05-17", "2024-5-17", "2024/05/17", "2024.05.17", "20240517"),
        *("2024-05-17T23:30:00-08:00", "2024-05-17 10:00", "20240517T101112"),
        *("D:20240517120000+02'00'", "17.5.2024", "17 May 2024", "May 17, 2024"),
        *("Fri, 17 May 2024 10:00:00 +0200", "Friday, May 17th, 2024", "17th may 2024"),
    ],
)
def test_days_are_read_as_documents_write_them(text: str) -> None:
    assert read_day(text) == read_day(f"  {text}") == MAY


@pytest.mark.parametrize(("text", "day"), [("2024-05", 5), ("2024", 1), ("D:2024", 1)])
def test_the_first_day_stands_for_a_month_or_a_year(text: str, day: int) -> None:
    assert read_day(text) == date(2024, day, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "05/06/2024", "2024-13-01", "2023-02-29", "0000-00-00"),
        *("D:0000", "9999-01-01", "17 Mai-June 2024", "12 Foo 2024", "\u0662\u0660"),
    ],
)
def test_what_is_no_day_or_an_ambiguous_one(text: str) -> None:
    assert read_day(text) is None


@given(st.text())
def test_any_text_may_stand_where_a_day_should(text: str) -> None:
    assert isinstance(read_day(text), date | None)


def test_a_document_says_when_it_was_written(read: Read) -> None:
    page = '<html><head><meta {}="{}" content="{}"></head><body>words'
    for name, content in {
        "a.md": "---\ntitle: x\ndate: 2024-05-17T10:00:00Z\n---\nwords\n",
        "b.md": "---\ndate: soon\ncreated: 17 May 2024\n---\nwords\n",
        "c.html": page.format("property", "article:published_time", "2024-05-17"),
        "d.html": page.format("name", "DC.Date", "2024-05-17"),
        "e.html": page.format("itemprop", "datePublished", "May 17, 2024"),
        "f.pdf": pdf("words", title="t) /CreationDate (D:20240517101010Z"),
        "g.pdf": pdf("words", title="t) /CreationDate (now) /ModDate (D:20240517"),
    }.items():
        assert read(name, content).day == MAY, name


def test_a_document_that_says_nothing_has_no_day(read: Read) -> None:
    for name, content in {
        "a.md": "---\ntitle: 2024-05-17\n---\ndate: 2024-05-17\n",
        "b.html": "<meta name=viewport content=2024-05-17><p>words",
        "c.pdf": pdf("words"),
        "d.txt": "date: 2024-05-17\n",
    }.items():
        assert read(name, content).day is None, name


def test_the_first_edition_counts(read: Read) -> None:
    head = (
        '<meta name="last-modified" content="2024-09-01">'
        '<meta property="article:published_time" content="2024-05-17">'
    )
    assert read("a.html", f"<html><head>{head}</head>words").day == MAY


# --- languages ---------------------------------------------------------------


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_languages_are_told_by_their_texts(code: str, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "Hello world",
            "1 2 3 4 5 6 7 8 9 " * 30,
            "https://example.org/a/b " * 20,
        ),
        "name=value; path=/usr/lib; {x: 1} <a href=b>" * 20,
        "αβγδ " + "x7q zk4 9bv qqq wvx " * 20,
    ],
)
def test_what_is_short_or_unclear_has_no_language(text: str) -> None:
    assert language_of(text) is None


def test_a_long_word_takes_no_time() -> None:
    assert language_of("a" * 1_000_000 + "/" + "=" * 1_000_000) is None


def test_what_a_document_states_goes_before_what_it_shows(read: Read) -> None:
    german = TEXTS["de"]
    assert read("a.md", german).language == "de"
    assert read("a.txt", german).language == "de"
    assert read("a.html", f"<p>{german}").language == "de"
    assert read("a.pdf", pdf(TEXTS["en"])).language == "en"
    assert read("b.md", f"---\nlang: en-GB\n---\n{german}").language == "en"
    assert read("b.html", f"<html lang=fr><p>{german}").language == "fr"
    assert read("a.py", f'"""{german}"""\n').language is None, "code is in no language"


def test_documents_of_older_readers_are_read_anew() -> None:
    for name in (b"a.txt", b"a.md", b"a.html", b"a.pdf"):
        family, version = pipeline_of(name).partition("+")[0].split(":")
        assert int(version) >= 2, family
