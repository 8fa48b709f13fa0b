"""What filters, phrases and exclusions leave, against a look at every chunk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from older import undo

from pplx_local.records import Chunk, Document, FileRecord, Span, TextBlock
from pplx_local.search import parse_query
from pplx_local.store import Store, phrases, schema
from pplx_local.store.connection import Database, create_file

TODAY = date(2024, 6, 15)


class Note(NamedTuple):
    """A file with one document, cut into chunks of a few words."""

    path: str
    text: str = "some words"
    title: str | None = None
    language: str | None = None
    day: date | None = None
    changed: date = TODAY
    author: str | None = None


NOTES = [
    Note(
        "/n/Budget-2024.md",
        "the hard times are over",
        "Annual Budget",
        "en",
        author="Ada Lovelace",
    ),
    Note("/n/old/budget.md", "the Hard\n\n  Times came back", None, "de"),
    Note("/n/old/Müller/brief.txt", "don\u2019t say hard; times change", "Brief", "de"),
    Note("/n/old 2/deep/x.PDF", "it was a mart of darkness", day=date(2020, 2, 29)),
    Note("/n/src/main.py", "def f(): return hard_times", None, None),
    Note("/n/src/Makefile", "all: main", changed=date(2019, 12, 31)),
    Note("/n/misc/thing.xyz", "unknown hard times", changed=date(2024, 6, 14)),
    Note("/n/misc/noext", "die harte Zeit", "Zeit", "de", date(2024, 6, 15)),
    Note("/n/q?[x]*.md", "a 今天天气很好 b"),
    Note(
        "/m/old/y.html",
        "drafts of a draft",
        "Draft",
        "en",
        date(2021, 1, 1),
        author="José Ada",
    ),
]


def write(store: Store, note: Note, chunk_words: int) -> int:
    spans, start = [], 0
    for words in re.findall(rf"(?:\s*\S+){{1,{chunk_words}}}\s*", note.text):
        spans.append(Span(start, start + len(words)))
        start += len(words)
    chunks = tuple(Chunk(number, span) for number, span in enumerate(spans))
    with store.write_document(note.path, "p") as writer:
        writer.add(TextBlock(0, note.text, chunks))
        writer.finish(
            Document(
                *("text", 1, note.title, note.language, len(note.text), ()),
                metadata={"author": note.author} if note.author else {},
                day=note.day,
            )
        )
    noon = datetime(*note.changed.timetuple()[:3], 12)
    store.put_file(
        FileRecord(
            *(note.path.encode(), 1, 1, 1, 1, int(noon.timestamp()) * 10**9),
            *("d", "indexed", None, writer.document_id),
        )
    )
    return writer.document_id


@pytest.fixture(scope="module", params=[1, 2, 100])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """An index that is only read, with chunks of so many words."""
    with filled(tmp_path_factory.mktemp("home"), request.param) as store:
        yield store


@contextmanager
def filled(home: Path, chunk_words: int) -> Iterator[Store]:
    with Store.open(home / "index.db") as store:
        store.add_folder(b"/n", 1, 1)
        with store.transaction():
            for note in NOTES:
                write(store, note, chunk_words)
        yield store


def left(store: Store, query: str) -> set[str]:
    """Names of the files of which some chunk is left, both ways of a selection."""
    selection = store.select(parse_query(query, today=TODAY).filters)
    every = np.array([i for d in range(1, 11) for i, _, _ in store.chunk_texts(d)])
    if selection is None:
        return {note.path for note in NOTES}
    held = every[selection.holds(every)]
    if selection.ids is None:
        assert selection.share == pytest.approx(len(held) / len(every))
    else:
        assert selection.ids.tolist() == held.tolist()
    refs = store.chunk_refs(held.tolist())
    return {ref.digest for ref in refs}


def names(*numbers: int) -> set[str]:
    return {NOTES[number].path for number in numbers}


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("path:budget", {0, 1}),
        ("path:BUDGET path:main", {0, 1, 4}),
        ("path:müller", {2}),
        ("path:Mu\u0308ller", {2}),
        ("path:.m", {0, 1, 8}),
        ("path:o", {1, 2, 3, 7, 9}),
        ("path:/n/old", {1, 2}),
        ("path:/n/old/", {1, 2}),
        ("path:/old/", {1, 2, 9}),
        ("path:/N/old/b", {1, 2} - {2}),
        ("path:/n/Budget-2024.md", {0}),
        ("path:*.md", {0, 1, 8}),
        ("path:bud*", {0, 1}),
        ("path:old*", {1, 2, 3, 9}),
        ("path:/n/*/x.pdf", {3}),
        ("path:m?in.py", {4}),
        ("-path:old", {0, 4, 5, 6, 7, 8}),
        ("path:old -path:/n/old", {3, 9}),
        ('path:"old 2"', {3}),
        ("path:nowhere", set()),
        ("type:pdf", {3}),
        ("type:md type:pdf", {0, 1, 3, 8}),
        ("type:code", {4, 5}),
        ("type:text", {2, 6, 7}),
        ("type:xyz", {6}),
        ("-type:code -type:text", {0, 1, 3, 8, 9}),
        ("type:python path:src", {4}),
        ("title:budget", {0, 1}),
        ("title:annual", {0}),
        ("title:brief", {2}),
        ("title:mull", set()),
        ("-title:budget type:md", {8}),
        ("title:src", set()),
        ("author:ada", {0, 9}),
        ("author:lovelace author:jose\u0301", {0, 9}),
        ('author:"ada lovelace"', {0}),
        ("author:ad type:html", {9}),
        ("-author:ada type:md", {1, 8}),
        ("author:budget", set()),
        ("lang:de", {1, 2, 7}),
        ("lang:german lang:en", {0, 1, 2, 7, 9}),
        ("-lang:de type:md", {0, 8}),
        ("after:2024-06-15", {0, 1, 2, 4, 7, 8}),
        ("after:yesterday", {0, 1, 2, 4, 6, 7, 8}),
        ("before:today", {3, 5, 6, 9}),
        ("before:2020", {5}),
        ("after:2020 before:2021", {3}),
        ("after:2020-03 before:2021", set()),
        ("after:2021-01-01 before:2021-01-02", {9}),
        ("after:9999", set()),
        ("before:1000", set()),
        ("after:4y before:1d lang:en", {9}),
    ],
)  # fmt: skip
def test_filters(store: Store, query: str, numbers: set[int]) -> None:
    assert left(store, query) == names(*numbers)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ('"hard times"', {0, 1, 6}),
        ('"HARD   times" type:md', {0, 1}),
        ('"hard; times"', {2}),
        ('"hard times are over"', {0}),
        ('"times hard"', set()),
        ('"art of"', set()),
        ('"mart of darkness"', {3}),
        ('"don\'t say"', {2}),
        ('"hard_times"', {4}),
        ('"times"', {0, 1, 2, 6}),
        ('"天气"', {8}),
        ('"今天 天气"', {8}),
        ('"天天气很"', {8}),
        ('"天今"', set()),
        ('"a 今天"', {8}),
        ('"hard times" "came back"', {1}),
        ('"f()"', {4}),
        ('"(*)" type:pdf', {3}),
    ],
)
def test_phrases(store: Store, query: str, numbers: set[int]) -> None:
    """Chunks of one or two words make phrases straddle their borders."""
    assert left(store, query) == names(*numbers)


def test_a_phrase_is_in_every_chunk_that_it_touches(store: Store) -> None:
    selection = store.select(parse_query('"hard times are"').filters)
    assert selection is not None
    assert selection.ids is not None
    refs = store.chunk_refs(selection.ids.tolist())
    texts = [store.text(ref.document_id, ref.char_span) for ref in refs]
    text, start = "".join(texts), refs[0].char_span.start
    assert text in NOTES[0].text
    assert NOTES[0].text.index("hard") >= start
    assert "hard times are" in text
    for chunk in texts:
        assert re.search("hard|times|are", chunk)


def chunks_left(store: Store, query: str) -> list[str]:
    selection = store.select(parse_query(query).filters)
    assert selection is not None
    every = [one for d in range(1, 11) for one in store.chunk_texts(d)]
    held = selection.holds(np.array([chunk_id for chunk_id, _, _ in every]))
    return [text for (_, _, text), is_held in zip(every, held, strict=True) if is_held]


def test_exclusions_are_of_passages(store: Store) -> None:
    n_chunks = store.count_chunks()
    for word, pattern in [("hard", r"\bhard\b|hard_times"), ("draft", "drafts?")]:
        kept = chunks_left(store, f"-{word}")
        assert not [text for text in kept if re.search(pattern, text, re.IGNORECASE)]
        assert 0 < len(kept) < n_chunks
    kept = chunks_left(store, '-"hard times"')
    assert not any("hard times" in text.lower() for text in kept)
    assert any("say hard;" in text or "hard; " in text for text in kept)
    assert len(chunks_left(store, "-nowhere")) == n_chunks
    assert chunks_left(store, "-drafts path:y.html lang:de") == []


def test_a_long_phrase_over_many_chunks(tmp_path: Path) -> None:
    words = [f"w{number * 7919 % 1009}" for number in range(400)]
    with Store.open(tmp_path / "index.db") as store:
        store.add_folder(b"/n", 1, 1)
        write(store, Note("/n/a", " ".join(words)), 50)
        write(store, Note("/n/b", " ".join(reversed(words))), 50)
        for start, end in [(0, 20), (40, 60), (45, 230), (0, 400)]:
            phrase = " ".join(words[start:end])
            selection = store.select(parse_query(f'"{phrase}"').filters)
            assert selection is not None
            assert selection.ids is not None
            wanted = range(start // 50 + 1, (end - 1) // 50 + 2)
            assert selection.ids.tolist() == list(wanted)


def test_a_reader_sees_through_to_the_texts_of_now(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with Store.open(path) as store, Store.open(path, readonly=True) as reader:
        store.add_folder(b"/n", 1, 1)
        write(store, Note("/n/a", "a green blue sea"), 100)
        assert found_by(reader, '"green blue"') == {"/n/a"}
        store.forget_files([b"/n/a"])
        store.settle_documents(1)
        store.purge()
        write(store, Note("/n/b", "some green apples"), 100)
        assert found_by(reader, '"green apples"') == {"/n/b"}
        assert found_by(reader, '"green blue"') == set()


def found_by(store: Store, query: str) -> set[str]:
    selection = store.select(parse_query(query).filters)
    assert selection is not None
    assert selection.ids is not None
    return {ref.digest for ref in store.chunk_refs(selection.ids.tolist())}


def test_a_phrase_that_ends_in_a_frequent_word_is_held_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "MOST_CHECKED", 5)
    texts = ["they run the mill", "running the mill", "they run, the mill turns"]
    with Store.open(tmp_path / "index.db") as store:
        store.add_folder(b"/n", 1, 1)
        for number, text in enumerate(texts + 5 * ["the mill"]):
            write(store, Note(f"/n/{number}", text), 100)
        assert found_by(store, '"run the"') == {"/n/0"}
        assert len(found_by(store, '"the mill"')) == 8, "too many to be read"


def test_a_file_counts_by_what_it_is_now(tmp_path: Path) -> None:
    with filled(tmp_path, 100) as store:
        store.forget_files([b"/n/old/budget.md"])
        assert left(store, "path:budget") == names(0)
        copy = store.file(b"/n/Budget-2024.md")
        assert copy is not None
        store.put_file(replace(copy, path=b"/n/old/copy.txt"))
        for query in ("path:old", "type:text", "path:budget", "path:copy type:text"):
            assert NOTES[0].path in left(store, query), "one of its files is enough"
        assert left(store, "path:budget type:text") == set()
        store.put_file(replace(copy, document_id=None, state="pending"))
        assert left(store, "path:budget") == set()


def test_a_file_is_allowed_or_not(store: Store) -> None:
    path = NOTES[0].path.encode()
    assert store.allows(parse_query("path:budget type:md lang:en").filters, path)
    for query in ("path:old", "type:pdf", "lang:de", "title:brief"):
        assert not store.allows(parse_query(query).filters, path)


def test_documents_by_day(store: Store) -> None:
    filters = parse_query("-path:nothing").filters
    selection = store.select(filters)
    assert selection is not None
    refs = store.chunk_refs(store.newest_first(filters, selection, 100).tolist())
    assert [ref.ordinal for ref in refs] == [0] * len(NOTES)
    days = {note.path: note.day or note.changed for note in NOTES}
    found = [days[ref.digest] for ref in refs]
    assert found == sorted(found, reverse=True)
    assert len(store.newest_first(filters, selection, 3)) == 3


def test_documents_by_day_go_on_behind_those_that_are_left_out(tmp_path: Path) -> None:
    with Store.open(tmp_path / "index.db") as store:
        store.add_folder(b"/n", 1, 1)
        texts = 40 * ["an error"] + 5 * ["all is well", "an error"]
        texts.append("an error and more")
        for number, text in enumerate(texts):
            day = date(2024, 1, 1) - timedelta(days=number)
            write(store, Note(f"/n/{number}.log", text, day=day), 2)
        filters = parse_query("type:.log -error").filters
        selection = store.select(filters)
        assert selection is not None
        for limit, numbers in [(2, [40, 42]), (9, [40, 42, 44, 46, 48, 50])]:
            found = store.newest_first(filters, selection, limit).tolist()
            refs = store.chunk_refs(found)
            assert [ref.digest for ref in refs] == [f"/n/{n}.log" for n in numbers]
        assert refs[-1].ordinal == 1, "its first passage is left out"


PIECES = st.sampled_from(
    [
        *("path:o", "path:*.md", "path:/n/old", "-path:budget", "type:md", "type:text"),
        *("-type:code", "lang:de", "-lang:en", "after:2021", "before:2024", "title:b"),
        *("author:a", "-author:lovelace"),
        *("-title:draft", "-hard", '"hard times"', '"times"', '-"hard times"'),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, min_size=2, max_size=4, unique=True))
def test_conditions_hold_together(store: Store, pieces: list[str]) -> None:
    """Of different kinds, each takes away what it takes away alone."""
    kinds = [piece.partition(":")[0] for piece in pieces]
    if len(set(kinds)) < len(kinds) or sum('"' in piece for piece in pieces) > 1:
        return
    every = np.array([i for d in range(1, 11) for i, _, _ in store.chunk_texts(d)])
    masks = [held_by(store, piece, every) for piece in pieces]
    together = held_by(store, " ".join(pieces), every)
    assert together.tolist() == np.logical_and.reduce(masks).tolist()


def held_by(store: Store, query: str, every: np.ndarray) -> np.ndarray:
    selection = store.select(parse_query(query, today=TODAY).filters)
    assert selection is not None
    return selection.holds(every)


ODD = st.lists(
    st.one_of(
        st.sampled_from(["path:", "title:", "type:.", "-", '"', "*", "[", "/", " "]),
        st.text(max_size=8),
    )
).map("".join)


@settings(max_examples=100, deadline=None)
@given(ODD)
@example("path:" + "*a" * 30_000)
@example("path:[ path:[^ path:] path:[a-")
@example('"' + "hard times " * 3_000 + '"')
@example("-" + "a" * 50_000 + ' -"' + "hard " * 3_000 + '"')
@example("path:" + "x" * 50_000 + " title:" + "y" * 50_000)
@example('path:"""" title:""" "\'" -\'')
def test_no_text_is_too_odd_to_select_by(store: Store, text: str) -> None:
    filters = parse_query(text).filters
    selection = store.select(filters)
    if selection is not None:
        store.newest_first(filters, selection, 5)
        store.allows(filters, NOTES[0].path.encode())


def test_no_filters_no_selection(store: Store) -> None:
    assert store.select(parse_query("some words").filters) is None


def test_purged_names_are_gone_from_the_disk(tmp_path: Path) -> None:
    with filled(tmp_path, 100) as store:
        store.forget_files([NOTES[0].path.encode()])
        store.settle_documents(1)
        store.purge()
        for table, gram in [
            *(("path_grams", "-20"), ("title_grams", "ual"), ("author_grams", "vel")),
        ]:
            store._database.execute(
                f"CREATE VIRTUAL TABLE temp.{table}_terms USING"
                f" fts5vocab(main, {table}, row)"
            )
            terms = store._database.rows(f"SELECT term FROM {table}_terms")
            assert terms
            assert (gram,) not in terms


def test_an_index_without_facts_is_upgraded(tmp_path: Path) -> None:
    """Files and documents of schema 2 are found by what was known of them."""
    path = tmp_path / "index.db"
    create_file(path)
    database = Database(path)
    with database.transaction():
        for migration in schema.MIGRATIONS[:2]:
            migration(database)
        database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        database.execute("PRAGMA user_version = 2")
        database.execute("INSERT INTO folders VALUES (1, x'2f6e', 1, 1, NULL)")
        database.execute(
            "INSERT INTO documents VALUES (1, 'd', 'p', 1, 1, 5, 'text', 1, 'Ein Titel',"
            " 'de', '{}', NULL), (2, 'e', 'p', 2, 1, 5, 'pdf', 1, NULL, NULL, '{}', NULL)"
        )
        database.execute("INSERT INTO chunks VALUES (1, 1, 0, 5, 7), (2, 2, 0, 5, 9)")
        database.many(
            "INSERT INTO files VALUES (?, ?, 1, 1, 1, 1, 1, 'd', 'indexed', NULL, ?,"
            " 'p', 0)",
            [(1, b"/n/Caf\xc3\x89.md", 1), (2, b"/n/b\xff.pdf", 2)],
        )
    database.close()
    with Store.open(path) as store:
        for query, ids in [
            ("path:café", [1]),
            ("type:pdf", [2]),
            ("title:titel", [1]),
            ("title:b\ufffd.p", [2]),
            ("lang:de", [1]),
            ("before:1971", [1, 2]),
            ("path:.", [1, 2]),
        ]:
            selection = store.select(parse_query(query).filters)
            assert selection is not None
            assert np.flatnonzero(selection.holds(np.array([0, 1, 2]))).tolist() == ids
        store.forget_files([b"/n/Caf\xc3\x89.md"])
        assert store.integrity_check() == []
        selection = store.select(parse_query("path:café").filters)
        assert selection is not None
        assert not selection.holds(np.array([1, 2])).any()


def test_an_index_without_authors_is_upgraded(tmp_path: Path) -> None:
    """What front matter said of an author in schema 6 is found without reading again."""
    path = tmp_path / "index.db"
    with filled(tmp_path, 100) as store:
        assert left(store, "author:lovelace") == names(0)
    database = Database(path)
    undo(database, schema.m007_authors)
    database.close()
    with Store.open(path) as store:
        assert left(store, "author:lovelace") == names(0)
        assert left(store, "-author:ada type:md") == names(1, 8)
        assert store.integrity_check() == []
