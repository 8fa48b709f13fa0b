import time
from itertools import accumulate
from pathlib import Path

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pplx_local.chunk import MAX_CHARS, MAX_WORDS, MIN_WORDS, PART_WORDS, chunk

SHARED = Path(__file__).parents[1].parent / "shared"

PIECES = [
    "word ", "Another sentence. ", "\n", "\n\n", " \n\t\n", "\r\n", "漢字。", "ไทย", "e\u0301",
    "👩‍👩‍👧", "🇩🇪", "x" * 50, "\u200b", "\u0301", " " * 30, "def f():\n    pass\n", "\ud800",
    "“Quoted!” ", "\x00", "\U000e0041", "한국어 ",
]  # fmt: skip
pieces = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30)
texts = st.builds(
    lambda parts, times: "".join(parts) * times, pieces, st.sampled_from([1, 7, 60])
)


def passages(text: str, breaks: tuple[int, ...] = ()) -> list[str]:
    return [text[slice(*c.char_span)] for c in chunk(text, breaks=breaks)]


def words(n: int, word: str = "word") -> str:
    return " ".join([word] * n)


@settings(deadline=None)
@given(texts, st.lists(st.integers(-5, 9_000), max_size=12), st.integers(0, 10**9))
@example("a" * 3_000, [1, 2, 3], 0)
@example(" \n" * 3_000, list(range(0, 6_000, 7)), 5)
@example("# A\n" * 2_000, list(range(0, 8_000, 4)), 5)
def test_chunks_give_the_text_back(text: str, breaks: list[int], offset: int) -> None:
    chunks = chunk(text, breaks=breaks, char_start=offset, first_ordinal=3)
    spans = [c.char_span for c in chunks]
    assert [c.ordinal for c in chunks] == list(range(3, 3 + len(chunks)))
    assert "".join(text[s.start - offset : s.end - offset] for s in spans) == text
    assert all(0 < span.end - span.start <= MAX_CHARS for span in spans)
    assert all(type(end) is int for span in spans for end in span)


@settings(deadline=None)
@given(texts, st.integers(1, 10**9))
def test_neither_the_offset_nor_the_day_changes_a_chunk(text: str, offset: int) -> None:
    plain = [(s.start + offset, s.end + offset) for _, s in chunk(text)]
    assert [tuple(s) for _, s in chunk(text, char_start=offset)] == plain


@settings(deadline=None)
@given(texts)
@example("a" + "\r\n" * 3_000)
@example("x" + "🇩🇪" * 3_000)
@example("한국어" * 900)
def test_no_cut_falls_inside_a_grapheme_cluster(text: str) -> None:
    clusters = regex.findall(r"\X", text)
    assume(max(map(len, clusters), default=0) < 400)
    edges = set(accumulate(map(len, clusters)))
    assert not {span.end for _, span in chunk(text)} - edges


def test_a_long_paragraph_comes_in_nearly_equal_parts() -> None:
    sizes = [len(p.split()) for p in passages("A sentence of five words. " * 2_000)]
    assert all(PART_WORDS * 0.9 < size < PART_WORDS * 1.1 for size in sizes)


@settings(deadline=None)
@given(st.lists(st.integers(MIN_WORDS, MAX_WORDS), min_size=1, max_size=20))
def test_a_paragraph_that_fits_is_a_chunk_or_shares_one(sizes: list[int]) -> None:
    paragraphs = [words(size) + "\n\n" for size in sizes]
    ends = set(accumulate(map(len, paragraphs)))
    spans = [c.char_span for c in chunk("".join(paragraphs))]
    assert {span.end for span in spans} <= ends


def test_a_paragraph_of_more_words_than_are_joined_stands_alone() -> None:
    paragraphs = [words(size) + "\n\n" for size in (110, 260, 90, 270, 160)]
    assert passages("".join(paragraphs)) == paragraphs


def test_short_paragraphs_are_joined() -> None:
    found = passages((words(30) + "\n\n") * 40)
    assert {len(p.split()) for p in found} == {90, 120}


def test_a_title_goes_with_the_paragraph_below() -> None:
    titled = [f"A title\n\n{words(95)}\n\n"] * 5
    assert passages("".join(titled)) == titled


def test_a_crumb_below_a_long_paragraph_goes_with_it() -> None:
    found = passages(words(300) + "\n\n" + words(10) + "\n\n \n")
    assert len(found) == 2
    assert min(len(p.split()) for p in found) > PART_WORDS * 0.7


def test_a_section_that_fits_is_not_cut() -> None:
    section = "# Heading\n\n" + (words(65) + "\n\n") * 4
    assert passages(section * 3, (len(section), 2 * len(section))) == [section] * 3


def test_lines_that_were_not_wrapped_are_paragraphs() -> None:
    lines = [words(size) + "\n" for size in (120, 250, 130, 90)]
    assert passages("".join(lines)) == lines
    titled = ["A title\n" + line for line in lines]
    assert passages("".join(titled)) == titled


def test_wrapped_lines_are_no_paragraphs() -> None:
    wrapped = "".join(words(12) + "\n" for _ in range(20))
    assert passages(f"{wrapped}\n{wrapped}") == [f"{wrapped}\n", wrapped]


@pytest.mark.parametrize(
    "separator", ["\n\n", "\n", ". ", " "], ids=["blank", "line", "sentence", "word"]
)
def test_a_chunk_ends_at_the_strongest_border_in_reach(separator: str) -> None:
    parts = [words(20, "One") + separator] * 40
    for passage in passages("".join(parts))[:-1]:
        assert passage.endswith(separator)
        assert len(passage.split()) % 20 == 0 or separator == " "


def test_borders_rank_from_break_to_word() -> None:
    def ending(*marks: str) -> str:
        # Lines of so few characters that they may be wrapped.
        text = "漢" * 130 + "".join(mark + "字" * 12 for mark in marks)
        return passages(text + " " + "漢" * 180)[0]

    assert ending(". ", "\n", "\n\n", "\n").endswith("\n\n")
    assert ending(". ", "\n", ". ").endswith("\n")
    assert ending(" ", ". ", " ").endswith(". ")


def test_a_heading_belongs_with_what_follows() -> None:
    sections = [f"# Heading {i}\n\n{words(100)}\n\n" for i in range(6)]
    breaks = tuple(len("".join(sections[:i])) for i in range(6))
    assert passages("".join(sections), breaks) == sections


def test_a_long_section_below_a_heading_keeps_its_heading() -> None:
    intro, heading = words(170) + "\n\n", "# Heading\n\n"
    text = intro + heading + words(500)
    found = passages(text, (len(intro),))
    assert found[0] == intro
    assert found[1].startswith(heading)


@pytest.mark.parametrize("n_words", range(40, 200, 7))
def test_headings_below_each_other_stay_together(n_words: int) -> None:
    parts = [words(n_words) + "\n\n", "# A part\n\n", "## Its start\n\n", words(300)]
    text = "".join(parts)
    found = passages(text, (text.index("# A"), text.index("## I")))
    assert not any(p.rstrip().endswith(("part", "start")) for p in found)


def test_short_sections_are_merged() -> None:
    sections = [f"# {i}\n{words(20)}\n" for i in range(30)]
    breaks = tuple(len("".join(sections[:i])) for i in range(30))
    found = passages("".join(sections), breaks)
    assert all(MIN_WORDS <= len(p.split()) <= PART_WORDS for p in found)
    assert all(p.startswith("# ") for p in found)


def test_a_short_last_section_joins_the_one_before() -> None:
    text = words(100) + "\n# End\nBye."
    assert passages(text, (text.index("#"),)) == [text]


def test_no_tail_is_tiny() -> None:
    for n_words in range(1, 1_000, 23):
        sizes = [len(p.split()) for p in passages(words(n_words))]
        assert min(sizes) >= min(n_words, PART_WORDS * 0.7)


@pytest.mark.parametrize("script", ["漢字仮名", "ไทยกขค", "ລາວກຂຄ", "ខ្មែរ"])
def test_scripts_without_spaces_are_counted_by_character(script: str) -> None:
    sizes = [len(p) for p in passages(script * 500)]
    assert max(sizes) <= PART_WORDS * 2
    assert min(sizes) >= PART_WORDS * 0.7


def test_chinese_sentences_stay_whole() -> None:
    found = passages("他说“你好。”" * 200)
    assert all(p.endswith("”") for p in found)


def test_indentation_stays_with_its_line() -> None:
    found = passages("    indented = call(argument)\n" * 400)
    assert len(found) > 3
    assert all(p.startswith("    ind") and p.endswith("\n") for p in found)


def test_flags_are_not_split() -> None:
    found = passages("🇩🇪" * 5_000)
    assert all(len(p) % 2 == 0 for p in found)


HOSTILE = {
    "one word": "x" * 1_000_000,
    "one line": "Many words. And more " * 50_000,
    "one-letter lines": "a\n" * 500_000,
    "no blanks": "漢字仮名交じり文" * 60_000,
    "joined emoji": "👩‍👩‍👧‍👦" * 60_000,
    "flags": "🇩🇪" * 250_000,
    "blanks": " " * 1_000_000,
    "newlines": "\n" * 1_000_000,
    "marks": "a" + "\u0301" * 500_000,
    "base64": "aGVsbG8gd29ybGQ" * 60_000,
    "zero width": "\u200b" * 500_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_bounded_in_size_and_time(text: str) -> None:
    def seconds(part: str) -> float:
        started = time.process_time()
        found = passages(part)
        assert "".join(found) == part
        assert max(map(len, found)) <= MAX_CHARS
        return time.process_time() - started

    seconds(text[:1_000])  # builds the table of characters
    # Four times the text may take four times as long; quadratic would take sixteen.
    assert seconds(text) < 10 * max(seconds(text[: len(text) // 4]), 0.02)


def test_many_breaks_take_linear_time() -> None:
    started = time.process_time()
    text = "\n" * 200_000
    assert "".join(passages(text, tuple(range(200_000)))) == text
    assert time.process_time() - started < 5


def test_an_empty_text_has_no_chunk() -> None:
    assert chunk("") == []


@pytest.mark.shared
def test_real_notes_give_chunks_that_end_where_a_reader_would() -> None:
    notes = sorted((SHARED / "folders" / "home").rglob("*.md"))
    if not notes:
        pytest.skip("no shared/folders beside the checkout")
    long = [note for note in notes if note.stat().st_size > 4_000][:200]
    ends = [
        passage
        for note in long
        for passage in passages(note.read_text(encoding="utf-8", errors="replace"))[:-1]
    ]
    assert len(ends) > 200
    assert sum(p.endswith("\n") for p in ends) > 0.8 * len(ends)
