"""Where words of a query stand in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pplx_local.store import LexicalQuery, Term, analyze_query, find_words
from pplx_local.store.lexical import places


def found(text: str, query: str) -> list[str]:
    return [text[start:end] for start, end in find_words(text, analyze_query(query))]


@pytest.mark.parametrize(
    ("text", "query", "words"),
    [
        ("Parent RENT rents rental", "rent", ["RENT", "rents"]),
        ("The cats sat", "cat", ["cats"]),
        ("the index is indexing", "indexes", ["index", "indexing"]),
        ("über naïve Zoë", "uber naive zoe", ["über", "naïve", "Zoë"]),
        ("decomposed nai\u0308ve", "naïve", ["nai\u0308ve"]),
        ("\uff21\uff22\uff23", "abc", ["\uff21\uff22\uff23"]),
        ("关于解除租赁合同的规定", "租赁合同", ["租赁合同"]),
        ("东京都", "京", ["京"]),
        ("मैं हिन्दी पढ़ता", "हिन्दी", ["हिन्दी"]),
        ("def getUserName(x)", "user", ["User"]),
        ("def getUserName(x)", "username", ["UserName"]),
        ("the get_user call", "getuser", ["get_user"]),
        ("an e-mail came", "email", ["e-mail"]),
        ("an e-mail came, e for mail", "e-mail", ["e-mail"]),
        ("O\u2019Brien said", "obrien", ["O\u2019Brien"]),
        ("costs 1,000 euros", "1000", ["1,000"]),
        ("my iPhone15 fell", "iphone", ["iPhone"]),
        ("a GPU16GB card", "16gb", ["16GB"]),
        ("call parseHTML5Doc", "html5", ["HTML5"]),
        ("we don\u2019t know", "dont", ["don\u2019t"]),
        ("we'll know", "well", []),
        ("u\u0308ber Müller", "ueber mueller", ["u\u0308ber", "Müller"]),
        ("a small pot", "poet", []),
        ("released v1.2.3-rc1", "v1.2.3", ["1.2.3"]),
        ("C or C++ and C#", "C++", ["C++"]),
        ("released v1.2.3-rc1", "1.2.3", ["1.2.3"]),
        ("the timing of a belt", "timing-belt", []),
        ("nothing of it", "herring", []),
        ("", "rent", []),
        ("rent", "", []),
    ],
)
def test_words_stand_where_the_index_finds_them(text, query, words):
    assert found(text, query) == words


def test_longer_words_are_found_where_they_stand_for_one():
    haus = Term("Haus", ("hau",), ("haustur", "hausbau"))
    query = LexicalQuery((haus, *analyze_query("garten").terms))
    text = "Haustür und Hausbau im Garten, ein Haus"
    assert [text[start:end] for start, end in find_words(text, query)] == [
        "Haustür", "Hausbau", "Garten",
    ]  # fmt: skip


def test_grammar_is_found_only_where_there_is_nothing_else():
    assert found("To be or not to be", "to be") == ["To", "be", "to", "be"]
    assert found("To be or not to be", "to be free") == []


@given(st.text("rent due\n-_'1.,xé\u0308租约 Aa", max_size=200), st.text(max_size=20))
def test_places_are_in_order_and_hold_something(text, query):
    spans = find_words(text, analyze_query(query))
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end in spans)


@given(st.text("rent due\n-_'1.,xé租约 Aa", min_size=1, max_size=40))
def test_a_text_holds_its_own_words(text):
    query = analyze_query(text)
    assert bool(find_words(text, query)) == bool(query.terms)


@pytest.mark.parametrize("odd", ["ж", "租", "Ⅷ", "y\u0308", "\ue000"])
@given(
    text=st.text("rent due\n-_'1.2v3,+#xA", max_size=200),
    query=st.text("rentv12.x", max_size=9),
)
def test_a_letter_beyond_ascii_moves_no_other_word(odd, text, query):
    asked = analyze_query(query)
    assert find_words(f"{text} {odd}", asked) == find_words(text, asked)


def test_plain_texts_are_cut_as_all_others_are():
    """Two patterns, one of them for texts in which nothing is special."""
    for char in filter(str.isalnum, map(chr, range(0x2E80))):
        text = f"v{char}1.2 a{char}b {char}{char}3.4.5{char}"
        if not places._NOT_PLAIN.search(text):
            plain = places._PLAIN_PIECE.finditer(text)
            others = places._PIECE.finditer(text)
            assert [m.span() for m in plain] == [m.span() for m in others], hex(
                ord(char)
            )
