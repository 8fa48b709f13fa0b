"""The query language: what a text asks for."""

from __future__ import annotations

import string
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pplx_local.documents import types_named
from pplx_local.search import Query, parse_query
from pplx_local.search.query import MAX_CONDITIONS
from pplx_local.store import Among, Filters, Parts

TODAY = date(2024, 3, 31)
PDF = Among(frozenset({"pdf"}))


def parsed(text: str) -> Query:
    return parse_query(text, today=TODAY)


def filters(text: str) -> Filters:
    query = parsed(text)
    assert query.words == "", "a filter alone has no words"
    assert query.hints == ()
    return query.filters


@pytest.mark.parametrize(
    ("text", "words", "asked"),
    [
        ("timing belt", "timing belt", Filters()),
        ("  two \n  lines ", "two lines", Filters()),
        ("belt type:pdf noise", "belt noise", Filters(extension=PDF)),
        ('say "hard  times" now', "say hard times now", Filters(("hard times",))),
        ("\u201ccurly\u201d \u00abanyhow\u00bb", "curly anyhow", Filters(("curly", "anyhow"))),
        ("snake -python", "snake", Filters(without=("python",))),
        ('snake -"monty python"', "snake", Filters(without_phrases=("monty python",))),
        ('a "b', 'a "b', Filters()),
        ('5" disk', '5" disk', Filters()),
        ('"" x', "x", Filters()),
        ('"!!" x', "!! x", Filters()),
        ("- x", "- x", Filters()),
        ("git --force", "git --force", Filters()),
        ("a -> b", "a -> b", Filters()),
        ("e-mail", "e-mail", Filters()),
        ("http://x.org/type:pdf", "http://x.org/type:pdf", Filters()),
        ("C:\\x D:y", "C:\\x D:y", Filters()),
        ("at 10:30", "at 10:30", Filters()),
        ("std::vector", "std::vector", Filters()),
        ('note:"a b"', 'note:"a b"', Filters()),
        ("\U0001f600", "\U0001f600", Filters()),
        ("a\x00b \ud800", "a b ?", Filters()),
    ],
)  # fmt: skip
def test_words_phrases_and_exclusions(text: str, words: str, asked: Filters) -> None:
    assert parsed(text) == Query(words, asked)


def test_paths() -> None:
    asked = filters('path:Notes path:*.md -path:old PATH:"My Papers" path\uff1a/a/b')
    assert asked.path == Parts(("Notes", "*.md", "My Papers", "/a/b"), ("old",))
    home = str(Path.home())
    assert filters("path:~/Notes").path.wanted == (f"{home}/Notes",)
    assert filters("path:~nobody-has-this-name/x").path.wanted[0].startswith("~")


def test_a_home_whose_name_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/far/caf\udce9")
    assert filters("path:~/notes").path == Parts(("/far/caf?/notes",))


def test_titles() -> None:
    assert filters('title:"two words" -title:draft').title == Parts(
        ("two words",), ("draft",)
    )


def test_authors() -> None:
    assert filters('author:"Ada L." -author:bob').author == Parts(("Ada L.",), ("bob",))


def types(text: str) -> set[str]:
    found = filters(text).extension
    assert found is not None
    assert not found.inverted
    return set(found.values)


def test_types() -> None:
    assert types("type:pdf") == types("type:PDF") == types("type:.pdf") == {"pdf"}
    assert types("type:pdf,html type:md") >= {"pdf", "htm", "xhtml", "md"}
    assert types("type:python") == {"py", "pyi", "pyw"}
    assert types("type:code -type:python") == types("type:code") - types("type:python")
    assert "makefile" in types("type:code")
    assert "eml" in types("type:mail") & types("type:email")
    assert types("type:pdf -type:pdf") == set()
    assert types("type:qqq") == {"qqq"}, "no kind, and like none: an extension"
    text = filters("type:text").extension
    assert text is not None
    assert text.inverted, "files of which nothing is known are text too"
    assert {"pdf", "md", "py"} <= text.values
    assert "txt" not in text.values
    assert filters("-type:pdf").extension == ~PDF


def test_languages() -> None:
    german = Among(frozenset({"de"}))
    for name in ("de", "DE", "german", "German"):
        assert filters(f"lang:{name}").language == german
    assert filters("-lang:de").language == ~german
    assert filters("lang:de,fr lang:zh -lang:fr").language == Among(
        frozenset({"de", "zh"})
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024", date(2024, 1, 1)),
        ("2024-05", date(2024, 5, 1)),
        ("2024-5-7", date(2024, 5, 7)),
        ("today", TODAY),
        ("Yesterday", date(2024, 3, 30)),
        ("7d", date(2024, 3, 24)),
        ("3w", date(2024, 3, 10)),
        ("1m", date(2024, 2, 29)),
        ("13m", date(2023, 2, 28)),
        ("1Y", date(2023, 3, 31)),
    ],
)
def test_days(text: str, day: date) -> None:
    assert filters(f"after:{text}") == filters(f"-before:{text}") == Filters(after=day)
    assert filters(f"before:{text}") == filters(f"-after:{text}") == Filters(before=day)


def test_all_days_have_to_hold() -> None:
    asked = filters("after:2020 after:2021 before:2024 before:2023")
    assert (asked.after, asked.before) == (date(2021, 1, 1), date(2023, 1, 1))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("tpye:pdf", "Did you mean type:?"),
        ("befor:2020", "Did you mean before:?"),
        ("language:de", "Did you mean lang:?"),
        ("authr:ada", "Did you mean author:?"),
        ("from:ada", "Did you mean author:?"),
        ("since:2020", "Did you mean after:?"),
        ("type:pfd", "no type pfd. Did you mean type:pdf?"),
        ("type:markdwon", "Did you mean type:markdown?"),
        ("type:???", "no type ???."),
        ("lang:germn", "Did you mean lang:german?"),
        ("lang:qq", "no language qq."),
        ("after:2024-13", "a day is written 2024, 2024-05"),
        ("after:2023-02-29", "a day is written"),
        ("before:9999y", "a day is written"),
        ("after:noon", "a day is written"),
        ('path:""', "nothing behind the colon"),
        ("type:,", "nothing behind the colon"),
        ("lang:,,", "nothing behind the colon"),
        ("type: pdf", "without a blank"),
    ],
)
def test_a_near_miss_is_searched_for_as_words_and_hinted_at(
    text: str, hint: str
) -> None:
    query = parsed(text)
    assert query.words == text
    assert not query.filters
    assert len(query.hints) == 1
    assert text.split()[0] in query.hints[0]
    assert hint in query.hints[0]


def test_a_hint_is_short_and_said_once() -> None:
    query = parsed(f"lang:{'x' * 1_000} tpye:a tpye:a")
    assert len(query.hints) == 2
    assert max(map(len, query.hints)) < 1_200


def test_conditions_have_an_end() -> None:
    query = parsed("path:a " * 2_000)
    assert len(query.filters.path.wanted) == MAX_CONDITIONS
    assert f"first {MAX_CONDITIONS}" in query.hints[0]


def test_a_mistyped_filter_is_left_out_where_there_are_other_words() -> None:
    query = parsed("tpye:pdf barnacles")
    assert query.words == "barnacles"
    assert query.hints == (
        "tpye:pdf was left out: tpye: is no filter. Did you mean type:?",
    )
    alone = parsed("tpye:pdf lang:en")
    assert alone.words == "tpye:pdf"
    assert alone.hints[0].startswith("tpye:pdf was searched for as words: ")


PIECES = 'path type after before title author lang tpye : " - \u201c \uff1a 2024 7d pdf ~ / * ['
TOKENS = st.one_of(
    st.sampled_from([" ", "\0", *PIECES.split()]),
    st.text(max_size=6),
)


@given(st.one_of(st.text(), st.lists(TOKENS).map("".join)))
@example('"' * 10_000)
@example('a" ' * 3_000)
@example("x:" * 5_000)
@example("9999y" + "after:9999y")
def test_every_text_is_a_query(text: str) -> None:
    query = parsed(text)
    assert query == parsed(text)
    assert "\0" not in query.words
    assert query.words == " ".join(query.words.split())
    query.words.encode()  # no lone surrogates
    if query.filters == Filters() and not query.hints:
        assert parsed(query.words).words == query.words


@given(st.lists(st.text(string.ascii_letters + "'.,;!", min_size=1), min_size=1))
def test_plain_words_come_back_as_they_are(words: list[str]) -> None:
    assert parsed(" ".join(words)) == Query(" ".join(words))


@given(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")), st.booleans())
def test_sets_and_all_but_sets(one: set[str], other: set[str], inverted: bool) -> None:
    first, second = Among(frozenset(one), inverted), Among(frozenset(other))
    for value in "abcd":
        in_first, in_second = (value in one) != inverted, value in other
        assert holds(first | second, value) == (in_first or in_second)
        assert holds(first & second, value) == (in_first and in_second)
        assert holds(~first, value) != in_first


def holds(some: Among, value: str) -> bool:
    return (value in some.values) != some.inverted


def test_a_type_has_the_names_that_a_person_gives_it() -> None:
    assert types_named("spreadsheet") == types_named("Excel")
    assert types_named("c++") is not None
    assert types_named("pfd") is None
    assert types_named(".pfd") == (frozenset({"pfd"}), False)
