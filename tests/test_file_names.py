"""Names of files in the keyword search: beside the text, never in place of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from older import undo

from pplx_local.records import Chunk, Document, FileRecord, Span, TextBlock
from pplx_local.store import Store, analyze_query, schema
from pplx_local.store.connection import Database

FILES = {
    "Budget-2024.xlsx": ["rent heating water", "travel to the coast"],
    "Budget-2023.xlsx": ["rent heating water too"],
    "getUserName_v2.py": ["def nothing at all"],
    "東京の地図.pdf": ["nur eine Karte"],
    "notes.txt": ["we made a budget in 2024", "the coast was clear"],
    "R.md": ["a language for statistics"],
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "index.db") as opened:
        opened.add_folder(b"/home", 1, 1)
        for name, texts in FILES.items():
            write(opened, name, texts)
        yield opened


def write(store: Store, name: str, texts: list[str]) -> None:
    text = " ".join(texts)
    chunks, start = [], 0
    for ordinal, each in enumerate(texts):
        chunks.append(Chunk(ordinal, Span(start, start + len(each))))
        start += len(each) + 1
    with store.write_document(name, "test") as writer:
        writer.add(TextBlock(0, text, tuple(chunks)))
        writer.finish(Document("test", 1, None, None, len(text), ()))
    put(store, name, writer.document_id)


def put(store: Store, name: str, document_id: int | None) -> None:
    folder_id = store.folders()[0].folder_id
    store.put_file(
        FileRecord(
            path=b"/home/budget reports/" + name.encode(),
            folder_id=folder_id,
            device=1,
            inode=1,
            size=1,
            mtime_ns=1,
            digest=name,
            state="indexed" if document_id else "failed",
            reason=None,
            document_id=document_id,
        )
    )


def found(store: Store, query: str) -> list[tuple[str, int]]:
    """Give (name of the file, ordinal of the chunk), the best first."""
    asked = store.lexical_adapted(analyze_query(query))
    ids, scores = store.lexical(asked, 10)
    assert scores.max(initial=0) <= store.lexical_matches(asked, []).bound + 1e-5
    return [(ref.digest, ref.ordinal) for ref in store.chunk_refs(ids.tolist())]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("budget 2024 xlsx", ("Budget-2024.xlsx", 0)),
        ("budgets 2023", ("Budget-2023.xlsx", 0)),
        ("username", ("getUserName_v2.py", 0)),
        ("getUserName_v2", ("getUserName_v2.py", 0)),
        ("東京", ("東京の地図.pdf", 0)),
        ("地", ("東京の地図.pdf", 0)),
        ("R", ("R.md", 0)),
        # What the text says counts more than what the file is called.
        ("budget 2024", ("notes.txt", 0)),
        # And both together more than either.
        ("budget coast", ("Budget-2024.xlsx", 1)),
    ],
)
def test_files_are_found_by_their_names(
    store: Store, query: str, first: tuple[str, int]
) -> None:
    assert found(store, query)[0] == first


@pytest.mark.parametrize("query", ["reports", "home", "bu", "user2", "kyoto 京都"])
def test_what_no_name_says_finds_nothing(store: Store, query: str) -> None:
    """Nor do folders: `path:` asks for them."""
    assert found(store, query) == []


def test_a_name_is_found_by_its_beginning_where_that_is_no_word(store: Store) -> None:
    write(store, "Expenses.ods", ["what we paid"])
    assert found(store, "expe") == [("Expenses.ods", 0)]
    write(store, "other.txt", ["expe is a word now"])
    assert found(store, "expe") == [("other.txt", 0)]


def test_a_name_alone_brings_the_first_passage_only(store: Store) -> None:
    assert found(store, "2023") == [("Budget-2023.xlsx", 0)]
    assert ("Budget-2024.xlsx", 1) not in found(store, "budget")


def test_a_renamed_file_is_found_by_its_new_name(store: Store) -> None:
    [document] = {
        file.document_id for file in store.files() if file.path.endswith(b"/R.md")
    }
    store.forget_files([b"/home/budget reports/R.md"])
    assert found(store, "R") == []
    put(store, "Julia.md", document)
    assert found(store, "julia") == [("R.md", 0)]  # it is the same document
    put(store, "Julia.md", None)
    assert found(store, "julia") == []


def test_a_hidden_document_is_not_found_by_a_name(store: Store) -> None:
    store.forget_files([b"/home/budget reports/Budget-2023.xlsx"])
    store.settle_documents(1)
    assert found(store, "2023") == []


def test_names_that_most_files_share_bring_none(tmp_path: Path) -> None:
    with Store.open(tmp_path / "index.db") as store:
        store.add_folder(b"/home", 1, 1)
        with store.transaction():
            for i in range(300):
                write(store, f"{i}.pdf", [f"word{i}"])
        assert found(store, "pdf") == []
        assert found(store, "word7 pdf") == [("7.pdf", 0)]
        assert found(store, "7 pdf") == [("7.pdf", 0)]


def test_an_older_index_learns_the_names(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with Store.open(path) as store:
        store.add_folder(b"/home", 1, 1)
        write(store, "Budget-2024.xlsx", FILES["Budget-2024.xlsx"])
    _undo_names(path)
    with Store.open(path) as store:
        assert found(store, "2024") == [("Budget-2024.xlsx", 0)]


def _undo_names(path: Path) -> None:
    database = Database(path)
    undo(database, schema.m004_names)
    database.close()
