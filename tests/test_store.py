"""The index on disk: files, documents, damage, full disks, writers that are killed."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pplx_local.errors import (
    FingerprintMismatch,
    SchemaTooNew,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
)
from pplx_local.records import (
    Chunk,
    Document,
    FileRecord,
    Segment,
    SpaceSpec,
    Span,
    TextBlock,
)
from pplx_local.store import Store, analyze_query, connection, texts

SPEC = SpaceSpec("dense", "tiny", {"weights": "abc", "window": "one"}, "f1", 8, 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "index.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as store:
        store.add_folder(b"/a", 1, 1)
        yield store


def file(name: bytes, document_id: int | None = None, mtime_ns: int = 1) -> FileRecord:
    state = "indexed" if document_id else "pending"
    return FileRecord(
        b"/a/" + name, 1, 1, 1, 1, mtime_ns, None, state, None, document_id
    )


def blocks(texts: list[str], chunk_chars: int = 20) -> Iterator[TextBlock]:
    start = ordinal = 0
    for text in texts:
        chunks = []
        for first in range(0, len(text), chunk_chars):
            span = Span(start + first, start + min(first + chunk_chars, len(text)))
            chunks.append(Chunk(ordinal, span))
            ordinal += 1
        yield TextBlock(start, text, tuple(chunks))
        start += len(text)


def write(
    store: Store, name: str, texts: list[str], segments: tuple[Segment, ...] = ()
) -> int:
    with store.transaction():
        with store.write_document(name, "p1") as writer:
            for block in blocks(texts):
                writer.add(block)
            n_chars = sum(map(len, texts))
            writer.finish(
                Document(
                    "text", 1, f"About {name}", "en", n_chars, segments, {"a": "b"}
                )
            )
        store.put_file(file(name.encode(), writer.document_id))
    return writer.document_id


def found(store: Store, query: str) -> list[int]:
    ids: list[int] = store.lexical(analyze_query(query), 100)[0].tolist()
    return ids


# --- folders and files ---


def test_a_folder_is_registered_once(store: Store) -> None:
    first = store.add_folder(b"/b", 2**64 - 1, 5)
    assert store.add_folder(b"/b", 3, 6) == first
    assert first.device == 2**64 - 1
    store.set_scanned(first.folder_id, 4, 9)
    assert [(f.path, f.scanned_ns) for f in store.folders()] == [
        (b"/a", None),
        (b"/b", 9),
    ]


def test_paths_are_bytes_of_any_kind(store: Store) -> None:
    names = [b"\xff\xfe", b"new\nline", b"'; DROP TABLE files", b"\x01", b"n\xc3\xa9"]
    store.put_files(file(name) for name in names)
    assert [f.path for f in store.files()] == sorted(b"/a/" + n for n in names)
    assert store.file(b"/a/\xff\xfe") == file(b"\xff\xfe")
    store.forget_files([b"/a/\xff\xfe", b"/a/none"])
    assert store.file(b"/a/\xff\xfe") is None


def test_under_is_the_path_itself_or_what_lies_below(store: Store) -> None:
    names = [b"x", b"x/1", b"x/y/2", b"x.txt", b"x0", b"xy", b"w"]
    store.put_files(file(name) for name in names)
    under = [f.path for f in store.files(under=b"/a/x")]
    assert under == [b"/a/x", b"/a/x/1", b"/a/x/y/2"]
    assert [f.path for f in store.files(under=b"/a/x/")] == under
    assert len(list(store.files(under=b"/"))) == len(names)


def test_files_can_be_written_while_they_are_listed(store: Store) -> None:
    store.put_files(file(b"%05d" % i) for i in range(2_500))
    for record in store.files(state="pending"):
        store.forget_files([record.path])
    assert store.count_states() == {}


def test_numbers_of_64_bits_survive(store: Store) -> None:
    record = FileRecord(
        b"/a/x", 1, 2**64 - 1, 2**63, 2**62, -5, "d", "failed", "why", None, "p", True
    )
    store.put_file(record)
    assert store.file(b"/a/x") == record
    assert store.count_states(1) == {"failed": 1}


def test_removing_a_folder_hides_its_documents(store: Store) -> None:
    write(store, "one", ["some words"])
    assert store.remove_folder(1) == 1
    assert store.settle_documents(5) == (1, 0)
    assert (store.count_documents(), store.count_documents(hidden=True)) == (0, 1)
    assert found(store, "words") == []


# --- documents ---


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(), min_size=1, max_size=60), max_size=6))
def test_a_document_gives_its_text_back(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "texts.db"
    whole = "".join(pieces)
    with Store.open(path) as store:
        store.add_folder(b"/a", 1, 1)
        document_id = write(store, str(time.monotonic_ns()), pieces)
        chunks = list(store.chunk_texts(document_id))
        assert "".join(text for _, _, text in chunks) == whole
        for start in range(0, len(whole) + 1, 7):
            for end in (start, start + 1, start + 50, len(whole)):
                span = Span(start, end)
                assert store.text(document_id, span) == whole[start : max(end, start)]
            line = whole.count("\n", 0, start) + 1
            assert store.line_of(document_id, start) == line
        assert list(store.chunk_texts(document_id, 2)) == chunks[2:]
        refs = store.chunk_refs([chunk_id for chunk_id, _, _ in reversed(chunks)])
        assert [ref.char_span for ref in reversed(refs)] == [
            chunk.char_span for _, chunk, _ in chunks
        ]


def forget(store: Store, name: str) -> None:
    store.forget_files([b"/a/" + name.encode()])
    store.settle_documents(1)
    store.purge()


def test_what_was_read_before_is_not_taken_for_what_came_after(store, path) -> None:
    """Blocks stay unpacked for a while, and their ids are given again."""
    span = Span(0, 9)
    with Store.open(path, readonly=True) as reader:
        for number in range(3):
            name = f"number {number}"
            document_id = write(store, name, [name, " and more"])
            assert store.text(document_id, span) == name + " "
            assert reader.text(document_id, span) == name + " "
            forget(store, name)
            assert store.text(document_id, span) == reader.text(document_id, span) == ""


def test_what_was_rolled_back_is_not_taken_for_what_came_after(store) -> None:
    with suppress(KeyboardInterrupt), store.transaction():
        undone = write(store, "undone", ["old words"])
        assert store.text(undone, Span(0, 9)) == "old words"
        raise KeyboardInterrupt
    document_id = write(store, "done", ["new words"])
    assert document_id == undone
    assert store.text(document_id, Span(0, 9)) == "new words"


def test_unpacked_texts_stay_within_bounds(store, monkeypatch) -> None:
    monkeypatch.setattr(texts, "_KEPT_CHARS", 100)
    lengths = [10, 60, 30, 500, 40, 20]
    ids = [write(store, str(n), ["x" * n]) for n in lengths]
    for document_id, n in [*zip(ids, lengths, strict=True)] * 2:
        assert len(store.text(document_id, Span(0, 999))) == n
        kept = [len(text) for text in store._texts._kept.values()]
        assert kept[-1] == n
        assert sum(kept) <= max(100, n)
    assert kept == [40, 20]


def test_what_is_known_of_a_document(store: Store) -> None:
    segments = (
        Segment("page", "1", Span(0, 30)),
        Segment("heading", "Intro", Span(0, 10)),
        Segment("page", "2", Span(30, 40)),
    )
    document_id = write(store, "one", ["x" * 40], segments)
    meta = store.document_meta(document_id)
    assert (meta.title, meta.language, meta.segments) == ("About one", "en", segments)
    assert meta.metadata == {"a": "b"}
    assert store.segments(document_id, Span(5, 6)) == segments[:2]
    assert store.segments(document_id, Span(30, 31)) == segments[2:]
    assert store.paths_of(document_id) == [b"/a/one"]
    with pytest.raises(StoreError, match="no document 77"):
        store.document_meta(77)
    with pytest.raises(StoreError, match="no chunk 77"):
        store.chunk_refs([77])


def test_a_document_left_unfinished_leaves_nothing(store: Store) -> None:
    with (
        pytest.raises(ValueError, match="without finish"),
        store.write_document("d", "p") as writer,
    ):
        writer.add(TextBlock(0, "lost words", (Chunk(0, Span(0, 10)),)))
    assert store.find_document("d", "p") is None
    assert found(store, "lost") == []
    assert store._database.value("SELECT count(*) FROM chunks") == 0


@pytest.mark.parametrize(
    "block",
    [
        TextBlock(3, "gap", ()),
        TextBlock(0, "short", (Chunk(0, Span(0, 6)),)),
        TextBlock(0, "order", (Chunk(1, Span(0, 5)),)),
    ],
)
def test_blocks_that_do_not_fit_are_refused(store: Store, block: TextBlock) -> None:
    with pytest.raises(ValueError, match=r"block"), store.write_document("d", "p") as w:
        w.add(block)


def test_ids_are_never_used_again(store: Store) -> None:
    first = write(store, "one", ["some words here " * 9])
    last = [chunk_id for chunk_id, _, _ in store.chunk_texts(first)][-1]
    store.forget_files([b"/a/one"])
    store.settle_documents(1)
    store.purge()
    second = write(store, "one", ["some words here " * 9])
    assert second > first
    assert next(iter(store.chunk_texts(second)))[0] > last


def test_the_null_sample_does_not_depend_on_history(tmp_path: Path) -> None:
    samples = []
    for order in (range(40), reversed(range(40))):
        with Store.open(tmp_path / f"{len(samples)}.db") as store:
            store.add_folder(b"/a", 1, 1)
            for i in order:
                write(store, f"d{i}", ["some words here " * 12])
            refs = store.chunk_refs(store.null_sample().tolist())
            samples.append([(ref.digest, ref.ordinal) for ref in refs])
    assert len(samples[0]) == 128
    assert samples[0] == samples[1]


def test_purged_words_are_gone_from_the_disk(store: Store, path: Path) -> None:
    write(store, "one", ["the xylographer came\n" * 3])
    write(store, "two", ["the quagga stayed\n" * 3])
    store.forget_files([b"/a/one"])
    store.settle_documents(1_000)
    assert store.purge(before_ns=1_000) == 0
    assert store.purge() == 1
    on_disk = b"".join(p.read_bytes() for p in path.parent.iterdir())
    assert b"xylograph" not in on_disk
    assert b"quagga" in on_disk
    for table in ("chunks", "blocks", "documents"):
        ids = store._database.rows(f"SELECT DISTINCT document_id FROM {table}")
        assert ids == [(2,)], table
    assert store.integrity_check() == []
    assert len(found(store, "quagga")) == store.count_chunks()


# --- spaces ---


def test_coverage_counts_visible_documents(store: Store) -> None:
    space = store.open_space(SPEC)
    assert space is not None
    assert store.coverage(space) == 1.0
    old, new = write(store, "old", ["a b c"]), write(store, "new", ["d e f g"])
    store.put_file(file(b"new", new, mtime_ns=9))
    assert list(store.unencoded_documents([space])) == [new, old]
    assert store.count_unencoded([space]) == (2, 12)
    waiting = store.unencoded_documents([space])
    assert next(waiting) == new
    store.finish_document(space, old, 1)
    assert list(waiting) == []
    assert store.coverage(space) == 0.5


def test_counts_follow_every_change_here_and_elsewhere(
    store: Store, path: Path
) -> None:
    late = SpaceSpec("late", "tiny", {}, "f2", 8, 8, "bits")
    spaces = [store.open_space(spec) for spec in (SPEC, late)]
    dense = spaces[0]
    assert dense is not None
    ids = [write(store, f"{number}", ["a b c"]) for number in range(4)]
    changes = [
        lambda: [store.finish_document(dense, one, 0) for one in ids[:3]],
        lambda: [store.finish_document(space, ids[0], 0) for space in spaces],
        lambda: store.forget_files([b"/a/0", b"/a/3"]),
        lambda: store.settle_documents(1),
        lambda: store.put_file(file(b"again", ids[0])),
        lambda: store.settle_documents(2),
        lambda: store.finish_document(dense, ids[3], 0),
        lambda: store.purge(),
        lambda: store.drop_space(dense),
    ]
    with Store.open(path, readonly=True) as reader:
        for change in changes:
            change()
            for each in (store, reader):
                n = each.count_documents()
                for some in (spaces[:1], spaces[1:], spaces):
                    lacking = list(each.unencoded_documents(some))
                    assert each.count_unencoded(some) == (
                        len(lacking),
                        5 * len(lacking),
                    )
                covered = n - len(list(each.unencoded_documents([dense])))
                assert each.coverage(dense) == covered / n


def test_counts_forget_what_was_rolled_back(store: Store) -> None:
    space = store.open_space(SPEC)
    assert space is not None
    document_id = write(store, "one", ["a b c"])
    with suppress(KeyError), store.transaction():
        store.finish_document(space, document_id, 0)
        assert store.coverage(space) == 1
        raise KeyError
    assert store.coverage(space) == 0


def test_another_fingerprint_is_refused_by_name(store: Store) -> None:
    store.open_space(SPEC)
    changed = SpaceSpec(
        "dense", "tiny", {"weights": "xyz", "window": "one"}, "f2", 8, 8
    )
    with pytest.raises(FingerprintMismatch) as caught:
        store.open_space(changed)
    message = str(caught.value)
    assert "weights was abc, is now xyz" in message
    assert "window" not in message
    other = SpaceSpec("dense", "other", {}, "f3", 8, 8)
    assert store.open_space(other, create=False) is None


# --- the file ---


def test_only_the_owner_can_read(store: Store, path: Path, tmp_path: Path) -> None:
    write(store, "one", ["secret words"])
    store.backup(tmp_path / "copy.db")
    for made in [*path.parent.iterdir(), tmp_path / "copy.db"]:
        assert stat.S_IMODE(made.stat().st_mode) == 0o600, made
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_backup_is_whole_and_replaces_nothing(store: Store, tmp_path: Path) -> None:
    document_id = write(store, "one", ["some words"])
    target = tmp_path / "copy.db"
    store.backup(target)
    with Store.open(target, readonly=True) as copy:
        assert found(copy, "words") == found(store, "words")
        assert copy.text(document_id, Span(0, 4)) == "some"
    with pytest.raises(StoreError, match="exists already"):
        store.backup(target)
    with pytest.raises(StoreError, match="no folder"):
        store.backup(tmp_path / "none" / "copy.db")
    assert {p.name for p in tmp_path.iterdir()} == {"home", "copy.db"}


def test_a_backup_to_a_disk_without_links(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    write(store, "one", ["some words"])
    target = tmp_path / "copy.db"
    monkeypatch.setattr(os, "link", refuse)
    store.backup(target)
    with Store.open(target, readonly=True) as copy:
        assert found(copy, "words") == found(store, "words")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {p.name for p in tmp_path.iterdir()} == {"home", "copy.db"}


def test_a_backup_without_links_replaces_nothing_either(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"

    def refuse(*paths: Path) -> None:
        target.write_text("somebody else's")  # while the copy was made
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StoreError, match="exists already"):
        store.backup(target)
    assert target.read_text() == "somebody else's"
    assert {p.name for p in tmp_path.iterdir()} == {"home", "copy.db"}


def test_a_backup_that_cannot_be_made_is_told_of_itself(
    store: Store, tmp_path: Path
) -> None:
    target = tmp_path / ("long" * 60 + ".db")  # the unfinished one's name is too long
    with pytest.raises(StoreError) as caught:
        store.backup(target)
    assert str(caught.value) == f"Cannot write the backup {target}: File name too long."
    assert {p.name for p in tmp_path.iterdir()} == {"home"}


def test_reading_what_is_not_there(path: Path) -> None:
    with pytest.raises(StoreError, match="no index yet"):
        Store.open(path, readonly=True)
    assert not path.parent.exists()


def test_an_empty_file_is_a_fresh_index(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with pytest.raises(StoreError, match="no index yet"):
        Store.open(path, readonly=True)
    Store.open(path).close()
    with Store.open(path, readonly=True) as store:
        assert store.count_documents() == 0
        with pytest.raises(StoreError, match="cannot be written"):
            store.add_folder(b"/x", 1, 1)


def test_files_that_are_no_index(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("once upon a time, in a text file far, far away " * 40)
    with pytest.raises(StoreDamaged, match="not a SQLite database"):
        Store.open(path)
    path.unlink()
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE recipes (name)")
    other.close()
    with pytest.raises(StoreDamaged, match="not an index of pplx-local"):
        Store.open(path)


def test_a_newer_schema_is_refused(path: Path) -> None:
    Store.open(path).close()
    other = apsw.Connection(str(path))
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(SchemaTooNew, match="newer pplx-local"):
        Store.open(path)


def test_an_index_that_shrinks_while_it_is_looked_at_is_not_truncated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.create_file(path)
    database, size_of = connection.Database(path), Path.stat
    database.execute("CREATE TABLE long (x); INSERT INTO long VALUES (zeroblob(99999))")
    database.execute("DELETE FROM long")
    database.checkpoint()

    def stat_after_shrinking(self: Path, **options: bool) -> os.stat_result:
        monkeypatch.setattr(Path, "stat", size_of)
        database.execute("VACUUM")
        database.checkpoint()
        return size_of(self, **options)

    before = path.stat().st_size
    monkeypatch.setattr(Path, "stat", stat_after_shrinking)
    connection.check_header(path)
    assert path.stat().st_size < before
    database.close()


def test_a_truncated_index_is_damaged_wherever_it_is_cut(path: Path) -> None:
    with Store.open(path) as store:
        store.add_folder(b"/a", 1, 1)
        write(store, "one", ["some words here " * 2_000])
    whole = path.read_bytes()
    for cut in [1, 16, 99, 100, 1_000, 4_096, *range(5_000, len(whole), 40_009)]:
        path.write_bytes(whole[:cut])
        for readonly in (True, False):
            with pytest.raises(StoreDamaged, match="copy a backup there"):
                Store.open(path, readonly=readonly)
    path.write_bytes(whole)
    with Store.open(path) as store:
        assert store.integrity_check() == []


def test_garbage_inside_is_a_clear_error(path: Path) -> None:
    with Store.open(path) as store:
        store.add_folder(b"/a", 1, 1)
        document_id = write(store, "one", ["some words here " * 2_000])
    whole = bytearray(path.read_bytes())
    whole[4_096:] = os.urandom(len(whole) - 4_096)
    path.write_bytes(whole)
    with pytest.raises(StoreError), Store.open(path) as store:
        store.text(document_id, Span(0, 30_000))


def test_a_file_that_the_system_does_not_let_grow_is_a_clear_error(path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pplx_local.store import Store\n"
        "with Store.open(Path(sys.argv[1])) as store:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))\n"
        "    store.add_folder(b'/a', 1, 1)\n"
    )
    with Store.open(path):
        pass
    run = [sys.executable, "-c", program, str(path)]
    result = subprocess.run(run, capture_output=True, text=True, check=False)
    assert f"The index {path} cannot be read or written" in result.stderr
    assert "Is its disk full" in result.stderr


def test_a_full_disk_loses_nothing(store: Store) -> None:
    write(store, "one", ["some words"])
    n_pages = store._database.value("PRAGMA page_count")
    store._database.rows(f"PRAGMA max_page_count = {n_pages + 8}")
    with pytest.raises(StoreFull, match="disk is full"):
        write(store, "two", [os.urandom(30_000).hex() for _ in range(9)])
    assert not store._database.in_transaction
    assert store.find_document("two", "p1") is None
    assert len(found(store, "words")) == 1
    store._database.rows("PRAGMA max_page_count = 1000000")
    write(store, "two", ["more words"])
    assert len(found(store, "words")) == 2
    assert store.integrity_check() == []


def test_a_second_writer_is_told(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_MS", 50)
    with Store.open(path) as second, store.transaction():
        for _ in range(2):
            with pytest.raises(StoreBusy, match="Another pplx-local process"):
                write(second, "two", ["words"])
        assert found(second, "words") == []


def test_a_reader_keeps_its_snapshot_while_another_writes(
    store: Store, path: Path
) -> None:
    write(store, "one", ["some words"])
    with Store.open(path, readonly=True) as reader:
        with reader.snapshot():
            assert len(found(reader, "words")) == 1
            write(store, "two", ["more words"])
            assert len(found(reader, "words")) == 1
        assert len(found(reader, "words")) == 2


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_store
from pplx_local.store import Store
with Store.open(Path(sys.argv[1])) as store:
    store.add_folder(b"/a", 1, 1)
    for i in range(10_000):
        test_store.write(store, f"d{i}", [f"some words {i} " * 300])
        print(i, flush=True)
"""


def test_a_killed_writer_leaves_whole_documents(path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(path), str(Path(__file__).parent)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(7):
        last = int(writer.stdout.readline())
    time.sleep(0.003)
    writer.kill()
    last = int((writer.stdout.read().split() or [last])[-1])
    writer.stdout.close()
    writer.wait()
    with Store.open(path) as store:
        assert store.integrity_check() == []
        n_documents = store.count_documents()
        assert last + 1 <= n_documents <= last + 2
        assert len(list(store.files())) == n_documents
        n_rows = store._database.value("SELECT count(*) FROM lexical_docsize")
        assert store.count_chunks() == n_rows
        write(store, "after", ["some words"])


def test_sizes_of_the_parts(store: Store) -> None:
    write(store, "one", ["some words"])
    parts = store.bytes_by_part()
    assert set(parts) == {"database", "text", "lexical", "dense", "late", "wal"}
    assert parts["text"] > 0
    assert parts["wal"] > 0
    assert parts["lexical"] > 0
