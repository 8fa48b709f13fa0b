"""What is read of LaTeX, BibTeX, reStructuredText, AsciiDoc, Org, and of subtitles."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from documents import read_here

from pplx_local.documents import Reader, pipeline_of
from pplx_local.documents.formats import About

Read = Callable[[str, str], tuple[str, About]]
MAY = date(2024, 5, 17)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(name: str, content: str) -> tuple[str, About]:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        text, about, _ = read_here(path)
        return text, about

    return read


def labels(about: About) -> list[str]:
    return [segment.label for segment in about.segments]


def starts(text: str, about: About) -> list[str]:
    return [text[span.start :].split("\n")[0] for _, _, span in about.segments]


# --- LaTeX -------------------------------------------------------------------

PAPER = r"""\documentclass{article}
\newcommand{\section}{none}
\title[Short]{On \emph{Roofs}\thanks{To \textbf{Ann}} \\ and Rain}
\author{Kurt G\"odel\inst{1} \and Zo{\"e} Wei{\ss}}
\date{May 17, 2024}
\begin{document}
\begin{abstract} We show $a\_b$. \end{abstract}
% \section{Not this}
\section*{The {DNA} of a roof\label{sec:a}}
50\% of x\_y
  \subsection[s]{Leaks}
\begin{frame}{A slide}
\end{document}
"""


def test_latex_stays_what_its_author_wrote_line_by_line(read: Read) -> None:
    text, about = read("a.tex", PAPER)
    assert text.count("\n") == PAPER.count("\n")
    assert r"\title[Short]{On \emph{Roofs}" in text
    assert r"\author{Kurt Gödel\inst{1} \and Zoë Weiß}" in text
    assert "50\\% of x_y" in text
    assert (about.title, about.day) == ("On Roofs and Rain", MAY)
    assert about.metadata == {"author": "Kurt Gödel , Zoë Weiß"}
    assert labels(about) == ["Abstract", "The DNA of a roof", "Leaks", "A slide"]
    assert starts(text, about)[1:3] == [
        r"\section*{The {DNA} of a roof\label{sec:a}}",
        r"  \subsection[s]{Leaks}",
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"G\"odel \'{e} {\'e} \^{\i} \~n", "Gödel é é î ñ"),
        (r"Erd\H{o}s, \v{C}ech, \c c, {\v s}", "Erdős, Čech, ç, š"),
        (r"\ss{} Stra\ss e \O re \l\'od\'z", "ß Straße Øre łódź"),
        (
            r"\cite{a} \url{b} \over \hline \\'e \\\"x",
            r"\cite{a} \url{b} \over \hline \\'e \\\"x",
        ),
        (r"$\v$ \'q \=\d {\"}", r"$\v$ \'q \=\d {\"}"),
        (r"Wort\-tren\-nung a \- b", r"Worttrennung a \- b"),
    ],
)
def test_accents_become_letters(read: Read, source: str, text: str) -> None:
    assert read("a.tex", source)[0] == text


def test_entries_of_a_bibliography_are_places(read: Read) -> None:
    entries = (
        '% list\n@article{Goedel31,\n author = {G{\\"o}del},\n title = {{\\"U}ber {F}orm'
        ' und {Satz}}}\n\n@misc{none,\n year = 1}\n@Book{b,\n Title="Two"}\n'
    )
    text, about = read("a.bib", entries)
    assert labels(about) == ["Goedel31: Über Form und Satz", "none", "b: Two"]
    assert starts(text, about) == ["@article{Goedel31,", "@misc{none,", "@Book{b,"]


# --- text with marks ---------------------------------------------------------


def test_restructured_text_has_the_levels_of_its_own_marks(read: Read) -> None:
    content = (
        "=======\n Title\n=======\n\n:Author: Ann\n:Date: 2024-05-17\n\nPart `one`_\n"
        "~~~~~~~~~~~\ntext\n\n----\n\n  code\n  ----\n\nSub :mod:`x`\n'''''''''''\n\n"
        "===== =====\na     b\n===== =====\n\nTwo\n~~~\n"
    )
    text, about = read("a.rst", content)
    assert text == content
    assert labels(about) == ["Title", "Part one", "Sub x", "Two"]
    ends = [span.end for _, _, span in about.segments]
    assert ends[1] == ends[2] == text.index("Two")
    assert (about.title, about.day, about.metadata) == ("Title", MAY, {"author": "Ann"})


def test_asciidoc_is_read_in_both_of_its_styles(read: Read) -> None:
    content = (
        "= Title\nAnn Lee <ann@example.org>\n:revdate: 2024-05-17\n\n== One\n----\n"
        "== no\ncode\n----\nTwo\n---\ntext\n-----------------\n=== Three\n"
    )
    _, about = read("a.adoc", content)
    assert labels(about) == ["Title", "One", "Two"]
    content = content.replace("-----------------\n", "")
    assert labels(read("a.adoc", content)[1]) == ["Title", "One", "Two", "Three"]
    assert about.metadata == {"author": "Ann Lee <ann@example.org>"}
    assert about.day == MAY


def test_org_headings_come_without_their_states_and_tags(read: Read) -> None:
    content = (
        "#+TITLE: Notes\n#+AUTHOR: Ann\n#+DATE: <2024-05-17 Fri>\n* TODO [#A] Roof :a:b:\n"
        "*bold* text\n** DONE Ladder\n"
    )
    _, about = read("a.org", content)
    assert labels(about) == ["Roof", "Ladder"]
    assert (about.title, about.day, about.metadata) == ("Notes", MAY, {"author": "Ann"})


def test_equal_bytes_are_another_document_in_another_markup() -> None:
    pipelines = {pipeline_of(b"a." + ext) for ext in (b"rst", b"adoc", b"org", b"tex")}
    assert len(pipelines) == 4


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["a.tex", "a.bib", "a.rst", "a.adoc", "a.org"])
def test_hostile_markup_takes_no_longer_than_other_text(read: Read, name: str) -> None:
    for hostile in (
        "\\section{" * 30_000,
        "@a{b," * 30_000,
        "@a{b,\ntitle={" * 20_000,
        "=" * 300_000,
        "a\n==\n" * 50_000,
        "=\n" * 100_000,
        '{\\"' * 60_000,
        "`" * 200_000 + "\n===\n",
        "* " * 100_000,
        "\\title{" + "\\thanks{" * 30_000,
    ):
        assert len(read(name, hostile)[0]) == len(hostile)


# --- subtitles ---------------------------------------------------------------

SUBTITLES = {
    "a.srt": "\ufeff1\r\n00:00:01,000 --> 00:00:04,000\r\n<i>Hello</i> there,\r\nyou &"
    " me.\r\n\r\n2\r\n00:00:59,000 --> 00:01:00,500\r\n{\\an8}42\r\n43\r\n3\r\n"
    "00:01:02,000 --> 00:01:04,000\r\nNext\r\n",
    "a.vtt": "WEBVTT - a\n\nNOTE no\nno\n\nSTYLE\n::cue {}\n\nintro\n00:01.000 --> 00:04.000"
    " align:start\nHello <00:02.000><c>there</c>,\nyou &amp; me.\n\n00:59.000 --> 00:60.000"
    "\nyou &amp; me.\n42\n43\n\n1:02.000 --> 1:03.000\n<v.loud Ann>Next",
    "a.sub": "{1}{1}25\n{25}{48}Hello there,|{y:i}you & me.\n{1475}{1500}42|43\n{1550}{1}Next",
    "a.sbv": "0:00:01.000,0:00:03.000\nHello there,\nyou & me.\n\n0:00:59.000,0:01:00.000\n"
    "42\n43\n\n0:01:02.000,0:01:03.000\nNext\n",
    "a.ass": "[Script Info]\nTitle: Film\n\n[Events]\nFormat: Layer, Start\nDialogue: 0,0:00:01.00,"
    "0:00:03.00,A,,0,0,0,,{\\i1}Hello there,\\Nyou & me.\nDialogue: 0,0:00:59.00,0:01:00.00,A"
    ",,0,0,0,,42\\N43\nComment: 0,0:01:00.00,0,A,,0,0,0,,no\nDialogue: 0,0:01:02.00,"
    "0:01:03.00,A,Ann,0,0,0,,Next\n",
}


@pytest.mark.parametrize("name", SUBTITLES)
def test_subtitles_are_what_is_said_with_minutes_as_places(
    read: Read, name: str
) -> None:
    text, about = read(name, SUBTITLES[name])
    said = text.replace("Ann: ", "")
    assert said == "Hello there, you & me.\n42 43\nNext\n"
    assert [(kind, label) for kind, label, _ in about.segments] == [
        ("time", "00:00:01"),
        ("time", "00:01:02"),
    ]
    assert starts(text, about)[1].endswith("Next")
    assert about.title == ("Film" if name == "a.ass" else None)


def test_a_file_that_is_no_subtitles_keeps_its_words(read: Read) -> None:
    text, about = read("a.srt", "Just words\nin lines\n\nand more\n")
    assert text == "Just words in lines\nand more\n"
    assert about.segments == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", SUBTITLES)
def test_hostile_subtitles_are_read(read: Read, name: str) -> None:
    times = "00:00:01,000 --> 00:00:02,000\n"
    for hostile in (
        times * 10_000,
        "<" * 200_000 + "needle",
        "{1}{1}00\n" * 10_000,
        "{\\" * 50_000,
        "99:99:99,999 --> " * 5_000,
    ):
        assert "needle" in read(name, f"{hostile}\n\n{times}needle\n")[0]


def test_markup_and_subtitles_come_through_the_child(tmp_path: Path) -> None:
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        for name, content in (("a.tex", PAPER), ("a.srt", SUBTITLES["a.srt"])):
            path = tmp_path / name
            path.write_text(content, encoding="utf-8")
            reading = reader.read(os.fsencode(path))
            assert "".join(block.text for block in reading)
            assert reading.document.segments
