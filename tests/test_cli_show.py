"""What reaches a terminal: escaped text, excerpts, hits, reports."""

from __future__ import annotations

import io
import json
import os
import re
import unicodedata
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pplx_local.cli.as_json import answer_json, hit_json, jsonable
from pplx_local.cli.asking import how_found, shortcomings
from pplx_local.cli.explanation import explanation
from pplx_local.cli.hits import show_hits, show_vimgrep
from pplx_local.cli.report import say_report, show_survey
from pplx_local.cli.show import json_path, stdout_console, write_json
from pplx_local.records import (
    Answer,
    Copy,
    Elsewhere,
    FileRecord,
    Hit,
    KindCount,
    LegReport,
    Match,
    Place,
    Span,
    Survey,
    UpdateReport,
)
from pplx_local.wording.excerpt import excerpt, marks, strength_of
from pplx_local.wording.visible import visible, visible_path

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def make_hit(text: str, path: bytes = b"/far/note.txt", **changes) -> Hit:
    values = {
        "path": path,
        "score": 1.5,
        "confidence": 0.83,
        "char_span": Span(0, len(text)),
        "line": 1,
        "place": (),
        "text": text,
        "scores": {"lexical": 0.5},
    }
    return Hit(**values | changes)


def make_answer(*hits: Hit, query: str = "rent", **changes) -> Answer:
    values = {
        "query": query,
        "mode": "hybrid",
        "took_ms": 12.3,
        "profile": {"dense": "m", "late": "m"},
        "legs": {
            leg: LegReport(True, 1.0, 1.0) for leg in ("lexical", "dense", "late")
        },
        "nothing_close": not hits,
        "hits": hits,
    }
    return Answer(**values | changes)


# --- escaping ---


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_nothing_that_steers_a_terminal_survives(text):
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs"}
    assert not set(shown) & set(BIDI)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_ordinary_text_is_left_alone(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\x9b31m", r"\x9b31m"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("👩\u200d🚀 \u0645\u06cc\u200c", "👩\u200d🚀 \u0645\u06cc\u200c"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_escapes(raw, shown):
    assert visible(raw) == shown


def test_a_path_below_the_working_folder_is_shown_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert visible_path(os.fsencode(tmp_path / "a" / "b.txt")) == "a/b.txt"
    assert visible_path(b"/elsewhere/b.txt") == "/elsewhere/b.txt"
    assert visible_path(b"/else\xff\n") == r"/else\xff\n"


def test_a_removed_working_folder_is_no_reason_to_stop(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert visible_path(b"/x/y") == "/x/y"


@given(st.text(st.characters(codec=None, exclude_categories=["Cs"])))
def test_json_keeps_every_character_and_writes_none_that_steers(text):
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        write_json({"text": text})
        out.flush()
    written = out.buffer.getvalue().decode("utf-8")
    assert json.loads(written) == {"text": text}
    assert visible(written.removesuffix("\n")) == written.removesuffix("\n")


def test_a_lone_surrogate_becomes_the_replacement_sign_in_json(capsys):
    write_json({"text": "a\ud800b"})
    assert json.loads(capsys.readouterr().out) == {"text": "a\ufffdb"}


def test_a_path_that_is_not_utf8_has_its_bytes_in_base64():
    assert json_path(b"/a/b") == {"path": "/a/b"}
    assert json_path(b"/a/\xff") == {"path": "/a/\ufffd", "path_bytes": "L2Ev/w=="}


# --- excerpts ---


def words_in(text: str, *words: str) -> tuple[Span, ...]:
    """Where a search would say that words of the query stand."""
    found = [m.span() for word in words for m in re.finditer(rf"\b{word}\b", text)]
    return tuple(Span(*span) for span in sorted(found))


def matched(query_word: str, word: str, similarity: float, text: str) -> Match:
    start = text.index(word)
    return Match(query_word, start, start + len(word), similarity)


def test_an_excerpt_holds_the_stretch_with_most_words_of_the_query():
    text = "Rent. " + "filler words here. " * 60 + "The rent is due in March. End."
    part = excerpt(make_hit(text, words=words_in(text, "Rent", "rent", "due")), 80)
    assert "rent is due in March" in part.text
    assert [part.text[m.start : m.end] for m in part.marks] == ["rent", "due"]
    assert len(part.text) <= 80


def test_the_line_and_column_are_those_of_the_first_exact_word():
    text = "\n\nTitle\n\nfirst fee\n  é the rent\n"
    alike = (matched("rent", "fee", 0.6, text),)
    hit = make_hit(text, line=7, words=words_in(text, "rent"), matches=alike)
    part = excerpt(hit, 400)
    assert (part.line, part.column) == (10, 10), "editors count bytes"
    assert [mark.strength for mark in part.marks] == ["close", "exact"]


def test_a_passage_that_begins_within_a_line_is_counted_from_the_lines_start():
    hit = make_hit("  the rent\nis due", column=31, words=(Span(6, 10),))
    assert excerpt(hit, 400)[2:] == (1, 35)
    hit = make_hit("  the rent\nis due", column=31, words=(Span(14, 17),))
    assert excerpt(hit, 400)[2:] == (2, 4)


def test_words_that_are_alike_choose_the_part_too():
    text = "Out and out. " + "filler words here. " * 60 + "Notice is given in May."
    alike = (matched("cancel", "Notice", 0.7, text), matched("when", "May", 0.6, text))
    part = excerpt(make_hit(text, matches=alike), 60)
    assert [part.text[a:b] for a, b, _ in part.marks] == ["Notice", "May"]


def test_a_word_is_marked_as_strongly_as_it_is_close():
    text = "rent fee cost price of, the"
    pairs = [("rent", 0.9), ("fee", 0.55), ("cost", 0.45), ("price", 0.31)]
    pairs += [("of", 0.9), (",", 0.9), ("the", 0.9)]
    alike = [matched("rent", word, similarity, text) for word, similarity in pairs]
    hit = make_hit(text, words=words_in(text, "rent"), matches=tuple(alike))
    assert [(text[a:b], strength) for a, b, strength in marks(hit)] == [
        ("rent", "exact"),
        ("fee", "close"),
        ("cost", "near"),
        ("price", "far"),
    ]
    assert strength_of(0.29) is None


@st.composite
def hits(draw) -> Hit:
    text = draw(st.text("rent due\n xé租", max_size=300))
    place = st.integers(0, max(len(text) - 1, 0))
    ends = st.tuples(place, st.integers(1, 8)).map(lambda p: (p[0], p[0] + p[1]))
    inside = ends.filter(lambda span: span[1] <= len(text))
    spans = draw(st.lists(inside, max_size=8)) if len(text) > 8 else []
    exact, alike = spans[::2], spans[1::2]
    pairs = tuple(Match("q", *span, draw(st.floats(0, 1))) for span in alike)
    return make_hit(text, words=tuple(Span(*s) for s in exact), matches=pairs)


@given(hits(), st.integers(30, 200))
def test_an_excerpt_is_a_stretch_of_the_passage_and_marks_lie_in_it(hit, n):
    part = excerpt(hit, n)
    assert part.text in hit.text
    assert len(part.text) <= n
    edges = [edge for start, end, _ in part.marks for edge in (start, end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(part.text) for edge in edges)
    assert 1 <= part.line <= hit.text.count("\n") + 1
    assert part.column >= 1


# --- hits ---


def on_terminal(
    answer: Answer, monkeypatch, width: int = 60, explain=False, colors=False
) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=True,
        width=width,
        markup=False,
        soft_wrap=True,
        highlight=False,
        no_color=not colors,
        color_system="standard",
    )
    monkeypatch.setattr("pplx_local.cli.hits.stdout_console", lambda: console)
    show_hits(answer, explain)
    return out.getvalue()


def test_a_hit_on_a_terminal_has_path_line_place_and_marked_words(monkeypatch):
    text = "The rent is due."
    hit = make_hit(
        text,
        place=(Place("page", "3"), Place("heading", "Results")),
        words=words_in(text, "rent"),
    )
    shown = on_terminal(make_answer(hit), monkeypatch)
    assert "/far/note.txt" in shown
    assert "page 3 > Results" in shown
    assert "\x1b[1;4mrent\x1b[0m" in shown
    assert "0.83" in shown


def test_hostile_hits_cannot_steer_the_terminal(monkeypatch):
    hostile = "\x1b]0;owned\x07 rent [red]x[/red] \u202e\nline\x9b2J"
    hit = make_hit(
        hostile,
        path=b"/x/\x1b[2J[link=evil]\xff\n.txt",
        place=(Place("heading", "\x1b[31mred"),),
        matches=(Match("re\x1bnt", 0, 5, 0.9),),
        words=(Span(3, 9),),
        more_in_file=(Elsewhere(3, (Place("\x1b", "\x9b"),), 9, 1.0),),
        same=(Copy(b"/x/\x1b[2J", True),),
    )
    for explain in (False, True):
        shown = on_terminal(make_answer(hit), monkeypatch, explain=explain)
        own = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\n", "")
        assert visible(own) == own
        assert "[red]x[/red]" in own


def test_each_strength_shows_with_colours_and_without(monkeypatch):
    text = "rent fee cost price"
    pairs = [("fee", 0.55), ("cost", 0.45), ("price", 0.31)]
    alike = tuple(matched("rent", word, similarity, text) for word, similarity in pairs)
    answer = make_answer(make_hit(text, words=words_in(text, "rent"), matches=alike))
    shown = on_terminal(answer, monkeypatch)
    codes = dict(re.findall(r"\x1b\[([0-9;]+)m(rent|fee|cost|price)\x1b", shown))
    assert codes == {"1;4": "rent", "3;4": "fee", "3": "cost", "2;3": "price"}
    shown = on_terminal(answer, monkeypatch, colors=True)
    assert "\x1b[1;4;32mrent\x1b[0m" in shown
    assert "\x1b[3;4;35mfee\x1b[0m" in shown


def test_the_explanation_has_each_leg_and_each_pair_of_words(capsys):
    text = "The rent, 租金, is due."
    hit = make_hit(
        text,
        words=words_in(text, "rent"),
        matches=(
            matched("rent", "rent", 0.7, text)._replace(is_exact=True),
            matched("fee", "租金", 0.4, text),
        ),
        scores={"lexical": 12.0, "late": -0.5},
        ranks={"late": 11},
        parts={"lexical": 1.5, "late": -0.25},
        score=1.25,
    )
    show_hits(make_answer(hit), explain=True)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "    leg       score  rank    adds    query  passage  similarity",
        "    lexical  12.000     -   1.500    rent   rent           0.70  exact",
        "    late     -0.500    11  -0.250    fee    租金           0.40",
        "    hybrid                  1.250",
    ]


def test_words_of_grammar_are_no_pair_in_an_explanation():
    text = "The rent on time."
    pairs = (matched("on", "on", 1.0, text), matched("rent", "rent", 0.7, text))
    lines = list(explanation(make_hit(text, matches=pairs)))
    assert [line.split()[-3:] for line in lines if "rent" in line] == [
        ["rent", "rent", "0.70"]
    ]
    assert not any(" on " in line for line in lines)


def test_on_a_narrow_terminal_pairs_stand_below_the_legs(monkeypatch):
    text = "internationalisation"
    hit = make_hit(text, matches=(matched("localisation", text, 0.6, text),))
    narrow = on_terminal(make_answer(hit), monkeypatch, width=60, explain=True)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", narrow).splitlines()
    assert max(map(len, lines)) <= 60
    legs = next(n for n, line in enumerate(lines) if "score" in line)
    pairs = next(n for n, line in enumerate(lines) if "passage" in line)
    assert lines[pairs - 1].strip() == ""
    assert legs < pairs
    wide = on_terminal(make_answer(hit), monkeypatch, width=100, explain=True)
    assert any("score" in line and "passage" in line for line in wide.splitlines())


def test_the_explanation_of_one_leg_adds_nothing_up(capsys):
    show_hits(make_answer(make_hit("x", ranks={"lexical": 1})), explain=True)
    assert "hybrid" not in capsys.readouterr().out


def test_a_narrow_terminal_gets_lines_that_fit(monkeypatch):
    hit = make_hit("The rent is due in March, and late rent costs more. " * 9)
    shown = on_terminal(make_answer(hit), monkeypatch, width=40)
    assert max(map(len, shown.replace("\x1b[1;4m", "").split("\n")[1:])) <= 44


def test_hits_in_a_pipe_are_one_line_each(capsys):
    text = "a\n\n the rent\nis due"
    answer = make_answer(
        make_hit(text, words=words_in(text, "rent")),
        make_hit(
            "rent",
            more_in_file=(
                Elsewhere(40, (), 900, 1.0),
                Elsewhere(9, (Place("page", "2"), Place("heading", "x")), 200, 1.2),
            ),
            same=(Copy(b"/far/b.txt", True), Copy(b"/far/c.txt", False)),
        ),
    )
    show_hits(answer, explain=False)
    assert capsys.readouterr().out.splitlines() == [
        "/far/note.txt:3: a the rent is due",
        "/far/note.txt:1: rent [2 more in this file: page 2, line 40]"
        " [also in: /far/b.txt, /far/c.txt (1 copy, 1 near-copy)]",
    ]


def test_a_hit_in_a_pipe_says_its_page_and_an_editor_is_spared_it(capsys):
    answer = make_answer(make_hit("The rent is due.", place=(Place("page", "3"),)))
    show_hits(answer, explain=False)
    assert capsys.readouterr().out.split(": ", 1)[1] == "[page 3] The rent is due.\n"
    show_vimgrep(answer)
    assert "page" not in capsys.readouterr().out


def test_vimgrep_has_line_and_column(capsys):
    text = "a\n\n the rent"
    show_vimgrep(make_answer(make_hit(text, line=5, words=words_in(text, "rent"))))
    assert capsys.readouterr().out == "/far/note.txt:7:6:a the rent\n"


def test_the_line_of_truth_names_legs_and_coverage():
    legs = {
        "lexical": LegReport(True, 1.0, 2.0),
        "dense": LegReport(True, 0.995, 2.0),
        "late": LegReport(False, 0.0, 0.0, "no model is here"),
    }
    answer = make_answer(make_hit("x"), legs=legs)
    assert how_found(answer) == "1 hit by lexical, dense (99 %) in 12 ms."
    assert shortcomings(answer) == [
        "Without late: no model is here.",
        "Not everything is embedded yet. To go on: pplx-local update",
    ]


def test_a_leg_that_was_not_asked_for_is_not_missed():
    legs = {
        "lexical": LegReport(True, 1.0, 2.0),
        "dense": LegReport(False, 1.0, 0.0, "not asked for"),
    }
    answer = make_answer(make_hit("x"), mode="lexical", legs=legs)
    assert shortcomings(answer) == []


def test_what_filters_alone_leave_was_found_by_no_leg():
    legs = {"lexical": LegReport(False, 1.0, 0.0, "there is nothing to rank by")}
    assert how_found(make_answer(make_hit("x"), legs=legs)) == "1 hit in 12 ms."
    assert how_found(make_answer(legs=legs)) == "Nothing found in 12 ms."


def test_nothing_close_is_said():
    assert how_found(make_answer()).startswith("Nothing found")
    far = make_answer(make_hit("x"), nothing_close=True)
    assert how_found(far).startswith("Nothing close; 1 hit")


def test_the_json_of_an_answer_has_the_documented_form():
    hit = make_hit(
        "rent",
        confidence=nan,
        place=(Place("page", "3"),),
        matches=(Match("rent", 0, 4, 0.9),),
        words=(Span(0, 4),),
        ranks={"lexical": 2},
        parts={"lexical": 1.5},
        more_in_file=(Elsewhere(7, (Place("page", "4"),), 90, 1.2),),
        same=(Copy(b"/\xff", True),),
    )
    found = answer_json(make_answer(hit))
    assert set(found) == {
        "query", "took_ms", "profile", "legs", "nothing_close", "hints", "hits",
    }  # fmt: skip
    assert found["legs"]["dense"] == {"ran": True, "coverage": 1.0, "ms": 1.0}
    assert found["hits"] == [hit_json(hit)]
    assert hit_json(hit) == {
        "path": "/far/note.txt", "score": 1.5, "confidence": None,
        "char_start": 0, "char_end": 4, "line": 1, "column": 1,
        "place": [{"kind": "page", "label": "3"}], "text": "rent",
        "scores": {"lexical": 0.5}, "matches": [["rent", 0, 4, 0.9]],
        "ranks": {"lexical": 2}, "parts": {"lexical": 1.5}, "words": [[0, 4]],
        "more_in_file": [
            {"line": 7, "place": [{"kind": "page", "label": "4"}], "char_start": 90,
             "score": 1.2}
        ],
        "same": [{"path": "/\ufffd", "path_bytes": "L/8=", "exact": True}],
    }  # fmt: skip


def test_records_inside_records_become_json():
    survey = Survey(b"/\xff", (KindCount("PDF", 2, 10, False),), 5, nan, 1, 2)
    assert jsonable(survey) == {
        "path": "/\ufffd", "path_bytes": "L/8=",
        "kinds": [{"kind": "PDF", "files": 2, "size_bytes": 10, "skipped": False}],
        "estimated_tokens": 5, "estimated_seconds": None,
        "estimated_disk_bytes": 1, "free_disk_bytes": 2,
    }  # fmt: skip


# --- reports ---


def test_the_report_names_what_changed_and_what_failed(capsys):
    failed = FileRecord(b"/x/\x1b.pdf", 1, 0, 0, 0, 0, None, "failed", "broken\x1b")
    report = UpdateReport(added=3, renamed=1, unchanged=1200, failed=1)
    say_report(report, [failed])
    said = capsys.readouterr().err
    assert "3 added, 1 renamed, 1 failed; 1,200 files unchanged" in said
    assert r"/x/\x1b.pdf: broken\x1b" in said


def test_many_failures_are_cut_with_the_way_to_see_all(capsys):
    files = [
        FileRecord(b"/x/%d" % i, 1, 0, 0, 0, 0, None, "failed", "no") for i in range(25)
    ]
    say_report(UpdateReport(failed=25), files)
    said = capsys.readouterr().err
    assert said.count("failed: ") == 20
    assert "5 more" in said
    assert "files --state failed" in said


def test_nothing_to_do_is_said(capsys):
    say_report(UpdateReport(unchanged=4), [])
    assert capsys.readouterr().err == "Nothing to do: 4 files unchanged.\n"


def test_a_survey_says_kinds_and_cost(capsys):
    kinds = (
        KindCount("PDF", 2, 5_000_000, False),
        KindCount("image", 9, 100, True),
    )
    show_survey(Survey(b"/d", kinds, 1_200_000, None, 2_000_000, 10**12))
    shown = capsys.readouterr().out
    assert "2 files     5.0 MB" in shown
    assert "not read" in shown
    assert (
        "1.2M tokens, time not known yet, 2.0 MB on the disk (1,000 GB free)" in shown
    )


def test_a_console_is_made_for_a_terminal_alone(monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    assert stdout_console() is None
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = stdout_console()
    assert console is not None
    assert console.is_terminal
