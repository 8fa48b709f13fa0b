"""Text as it is shown: each character knows where in the document it comes from."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pplx_local.answer import Extract, Section
from pplx_local.documents.kinds import known_types
from pplx_local.tui.rendering.line import Line
from pplx_local.tui.rendering.render import EXTRACTED, MARKDOWN, render, sketch
from pplx_local.tui.rendering.wrap import rows_of
from pplx_local.wording.visible import HOSTILE


def extract(text: str, char_start: int = 0, *segments: Section) -> Extract:
    return Extract(char_start, text, 1, char_start + len(text), None, segments)


def shown(name: str, text: str) -> list[str]:
    return [line.content.plain for line in render(name.encode(), extract(text))]


def styles(line: Line, word: str) -> set[str]:
    """Name the styles that a word of a line has."""
    start = line.content.plain.index(word)
    return {
        str(span.style)
        for span in line.content.spans
        if span.start <= start and start + len(word) <= span.end
    }


def style_of(name: str, text: str, word: str) -> str:
    lines = render(name.encode(), extract(text))
    line = next(line for line in lines if word in line.content.plain)
    return " ".join(sorted(styles(line, word)))


def is_sound(lines: list[Line], given: Extract) -> None:
    """Check what all lines of all formats keep to."""
    for line in lines:
        plain = line.content.plain
        assert not HOSTILE.search(plain)
        if line.is_rule:
            continue
        assert len(plain) == len(line.offsets)
        assert all(a <= b for a, b in pairwise(line.offsets))
        for char, offset in zip(plain, line.offsets, strict=True):
            own = given.text[offset - given.char_start]
            assert own == char or char in " \\•☐☑▎" or HOSTILE.match(own)
    starts = [line.start for line in lines]
    assert starts == sorted(starts)


TEXTS = st.text(
    alphabet=st.sampled_from(
        "ab *_`[]()<>#|~-=+!\\1.\n\t\x1b\u202e\u0301é界👨\u200d👩"
    ),
    max_size=120,
)


# --- every format ---


@given(TEXTS, st.sampled_from(["a.md", "a.txt", "a.py", "a.pdf"]))
def test_every_character_knows_where_it_comes_from(text: str, name: str) -> None:
    given = extract(text, 1_000)
    for lines in (render(name.encode(), given), sketch(name.encode(), given)):
        is_sound(lines, given)
        assert len([one for one in lines if one.start >= 1_000]) == len(lines)


@given(TEXTS, st.sampled_from(["a.md", "a.txt", "a.py", "a.pdf"]))
def test_no_letter_is_ever_lost(text: str, name: str) -> None:
    words = "".join(c for c in "".join(shown(name, text)) if c in "aé界")
    # a link's address is hidden behind its words
    assert "](" in text or words == "".join(c for c in text if c in "aé界")


def test_what_a_terminal_obeys_is_spelled_out() -> None:
    text = "a\x1b[31mred\x07 \u202eback\nb\r"
    assert shown("a.txt", text) == [r"a\x1b[31mred\x07 \u202eback", r"b\r"]
    assert shown("a.md", text) == shown("a.py", text) == shown("a.txt", text)


def test_tabs_are_blanks_up_to_the_next_stop() -> None:
    assert shown("a.txt", "\ta\n12\tb\n1234\tc") == ["    a", "12  b", "1234    c"]


def test_lines_are_numbered_and_pages_are_not() -> None:
    given = extract("a\n\nb")._replace(line=7)
    for name in ("a.txt", "a.md", "a.py"):
        assert [one.number for one in render(name.encode(), given)] == [7, 8, 9]
    assert {one.number for one in render(b"a.pdf", given)} == {None}


def test_formats_are_those_that_are_read() -> None:
    as_written = {"text", "code", "markdown", "markup", "latex", "bibtex"}
    as_written |= {"delimited", "json", "xml"}
    for extension, kind in known_types():
        if kind.family != "unsupported":
            is_written = kind.family in as_written
            assert (extension in EXTRACTED) != is_written, (extension, kind)
        assert (extension in MARKDOWN) == (kind.family == "markdown"), extension


# --- pages and headings ---


def test_a_page_begins_with_a_rule_that_names_it() -> None:
    text = "one\n\ntwo\n"
    pages = [Section("page", "1", 0, 5), Section("page", "2\x1b", 5, 9)]
    lines = render(b"a.pdf", extract(text, 0, *pages))
    assert [one.content.plain for one in lines] == [
        *("page 1", "one", "", r"page 2\x1b", "two")
    ]
    assert [one.is_rule for one in lines] == [True, False, False, True, False]
    later = render(b"a.pdf", extract("two\n", 5, Section("page", "1", 0, 9)))
    assert [one.is_rule for one in later] == [False]


def test_a_sheet_and_its_first_cells_are_named_by_one_rule() -> None:
    parts = [Section("sheet", "Rent", 0, 8), Section("cell", "A1:B2", 0, 4)]
    later = Section("cell", "A3:B4", 4, 8)
    lines = render(b"a.xlsx", extract("a\tb\nc\td\n", 0, *parts, later))
    assert [one.content.plain for one in lines if one.is_rule] == [
        *("sheet Rent > cells A1:B2", "cells A3:B4")
    ]


def test_headings_of_a_page_are_bold() -> None:
    given = extract("Boilers\nA boiler.\n", 0, Section("heading", "Boilers", 0, 18))
    first, second = render(b"a.html", given)
    assert "bold" in str(first.content.spans)
    assert not second.content.spans


# --- code ---


def test_code_is_coloured_by_the_files_name() -> None:
    text = 'def run(n):  # go\n    return "yes"\n'
    assert shown("a.py", text) == text.splitlines()
    assert style_of("a.py", text, "def") == "$text-accent"
    assert style_of("a.py", text, '"yes"') == "$text-success"
    assert style_of("Makefile", "all:\n\techo # x\n", "all") == "$text-primary"
    assert style_of("a.txt", text, "def") == style_of("a.unheard", text, "def") == ""


def test_code_has_only_colours_for_marks_have_the_rest() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for line in render(b"a.py", extract(text)):
        assert all(str(span.style).startswith("$") for span in line.content.spans)


def test_a_string_over_several_lines_is_coloured_on_each() -> None:
    lines = render(b"a.py", extract('x = """one\ntwo\nthree"""\n'))
    assert [bool(line.content.spans) for line in lines] == [True, True, True]


def test_lines_that_nobody_wrote_are_not_coloured() -> None:
    text = "var a=1;" * 5_000
    began = time.perf_counter()
    (line,) = render(b"a.min.js", extract(text))
    assert not line.content.spans
    assert line.content.plain == text
    assert time.perf_counter() - began < 1


def test_a_sketch_has_no_colours_and_the_same_words() -> None:
    text = "import os\n\n\ndef f():\n\treturn 1\n"
    sketched = [line.content.plain for line in sketch(b"a.py", extract(text))]
    assert sketched == shown("a.py", text)


# --- Markdown ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Head ##", "Head"),
        ("###### Six", "Six"),
        ("####### Seven", "####### Seven"),
        ("#hash", "#hash"),
        ("*a* **b** ***c*** _d_ __e__ ~~f~~", "a b c d e f"),
        ("**a *b* c**", "a b c"),
        ("2 * 3 * 4 ** 5, snake_case_name", "2 * 3 * 4 ** 5, snake_case_name"),
        ("a lone * and ** and `", "a lone * and ** and `"),
        ("`a*b*` ``c`d``", "a*b* c`d"),
        (r"\*a\* \\ \q", r"*a* \ \q"),
        ("[link](http://x.y/a_(b)) end", "link end"),
        ('[**bold** link](x "title")', "bold link"),
        ("![picture](a.png)", "picture"),
        ("[](http://x.y)", "http://x.y"),
        ("[]()", "[]()"),
        ("[a][b] [c] [d](", "[a][b] [c] [d]("),
        ("<https://x.y> <b>", "https://x.y <b>"),
        ("- a", "• a"),
        ("  * [x] a", "  ☑ a"),
        ("+ [ ] a", "☐ a"),
        ("- ", "- "),
        ("12) a", "12) a"),
        ("> > a *b*", "▎ ▎ a b"),
        ("> - a", "▎ • a"),
    ],
)
def test_markdown_reads_without_its_signs(text: str, words: str) -> None:
    assert shown("a.md", text) == [words]


def test_markdown_gives_words_the_style_of_their_signs() -> None:
    text = "# Head\n\n*thin* **thick** `code` [link](x)\n"
    assert style_of("a.md", text, "Head") == "bold $text-primary"
    assert style_of("a.md", text, "thin") == "italic"
    assert style_of("a.md", text, "thick") == "bold"
    assert style_of("a.md", text, "code") == "$text-warning"
    assert style_of("a.md", text, "link") == "underline $text-primary"


def test_underlined_headings_and_rules() -> None:
    lines = render(
        b"a.md", extract("Title\n=====\n\nPart\n---\n\n***\n\ntext\n- - -\n")
    )
    assert "bold" in str(lines[0].content.spans)
    assert "bold" in str(lines[3].content.spans)
    assert [one.number for one in lines if one.is_rule] == [7, 10]


def test_tables_stay_as_they_are() -> None:
    text = (
        "| a_b_ | *c* |\n|---|:-:|\n| *1* | 2 |\n\n*x* | y\n--|--\n*1* | 2\n\n*end*\n"
    )
    assert shown("a.md", text) == [*text.splitlines()[:-1], "end"]


def test_front_matter_is_dim_and_stays_as_it_is() -> None:
    text = "---\ntitle: *x*\n---\n*y*\n"
    assert shown("a.md", text) == ["---", "title: *x*", "---", "y"]
    assert style_of("a.md", text, "title") == "$foreground-muted"
    later = render(b"a.md", extract(text, 500))
    assert later[0].is_rule


def test_fenced_code_is_coloured_and_never_markup() -> None:
    text = "*a*\n```python\ndef f(*a, **k):\n    pass\n```\n*b*\n~~~\n*c*\n"
    assert shown("a.md", text) == [
        *("a", "```python", "def f(*a, **k):", "    pass", "```", "b", "~~~", "*c*")
    ]
    assert style_of("a.md", text, "def") == "$text-accent"
    assert [one.number for one in render(b"a.md", extract(text))] == [*range(1, 9)]


def test_code_that_is_set_in_is_no_markup_and_a_list_is() -> None:
    text = (
        "text\n\n    *code*\n    - *more*\n\n- item\n\n    *part*\n\nend\n    *lazy*\n"
    )
    assert shown("a.md", text) == [
        *("text", "", "    *code*", "    - *more*", "", "• item", "", "    part"),
        *("", "end", "    lazy"),
    ]


@pytest.mark.parametrize("known", ["a heading", "a language"])
def test_a_stretch_that_begins_in_code_is_told_by_what_follows(known: str) -> None:
    code = "# no heading\nx = *a*\n```\n"
    if known == "a heading":
        after = "# Head\n*b*\n"
        start = 900 + len(code)
        given = extract(code + after, 900, Section("heading", "Head", start, start + 9))
        words = ["# no heading", "x = *a*", "```", "Head", "b"]
    else:
        given = extract(code + "*b*\n```sh\nls *\n```\n", 900)
        words = ["# no heading", "x = *a*", "```", "b", "```sh", "ls *", "```"]
    assert [one.content.plain for one in render(b"a.md", given)] == words


@pytest.mark.parametrize(
    "line",
    [
        *("*" * 1_999, "[" * 1_999, "`" * 1_999, "\\" * 1_999, "_a" * 999, "-" * 9_000),
        *("|-" * 5_000, "![" * 999, "[a](" * 499, "> " * 900, "<http://" * 200),
        *("~~a" * 600, "# " + " #" * 900, "[a" * 999 + "]" * 999, "**a " * 499),
        "- " * 999,
    ],
)
def test_no_line_takes_long(line: str) -> None:
    began = time.perf_counter()
    render(b"a.md", extract(f"{line}x\n{line}\n"))
    assert time.perf_counter() - began < 1.5


# --- wrapping ---


def wrapped(text: str, width: int, name: str = "a.txt") -> list[str]:
    rows = rows_of(render(name.encode(), extract(text)), width)
    return [" " * r.indent + r.line.content.plain[r.start : r.end] for r in rows]


def test_rows_are_cut_between_words_if_there_is_room() -> None:
    assert wrapped("The tide turns at six.", 10) == ["The tide ", "turns at ", "six."]
    assert wrapped("abcdefghijkl mn", 5) == ["abcde", "fghij", "kl mn"]
    assert wrapped("", 5) == []
    assert wrapped("\n", 5) == [""]


def test_items_hang() -> None:
    rows = wrapped("- one two three", 8, "a.md")
    assert rows == ["• one ", "  two ", "  three"]
    assert wrapped("    a b c d", 6, "a.py") == ["    a ", "   b c ", "   d"]


def test_wide_characters_take_two_cells_and_accents_none() -> None:
    assert wrapped("水泵需要", 5) == ["水泵", "需要"]
    assert wrapped("e\u0301" * 4, 3) == ["e\u0301" * 3, "e\u0301"]
    family = "👨\u200d👩\u200d👧"
    assert wrapped(family * 3, 4) == [family * 2, family]


@given(TEXTS, st.integers(2, 20))
def test_rows_fit_and_give_the_text_back(text: str, width: int) -> None:
    lines = render(b"a.txt", extract(text))
    rows = list(rows_of(lines, width))
    for row in rows:
        words = row.line.content.plain[row.start : row.end].rstrip()
        assert row.indent + cell_len(words) <= width + 1  # a joined sign may be wider
    for line in lines:
        own = [row for row in rows if row.line.start == line.start]
        assert [r.start for r in own[1:]] == [r.end for r in own[:-1]]
        assert (own[0].start, own[-1].end) == (0, len(line.content.plain))
    keys = [row.key for row in rows]
    assert keys == sorted(keys)


def test_a_line_of_a_stretch_is_wrapped_fast() -> None:
    lines = render(b"a.txt", extract("水 word " * 2_000))
    began = time.perf_counter()
    list(rows_of(lines, 40))
    assert time.perf_counter() - began < 1
