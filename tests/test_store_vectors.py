"""The dense shortlist against brute force, and vectors through hiding and showing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pplx_local.errors import StoreDamaged
from pplx_local.records import (
    Chunk,
    DenseVectors,
    Document,
    FileRecord,
    SpaceSpec,
    Span,
    TextBlock,
    TokenVectors,
)
from pplx_local.store import Space, Store, schema, vectors
from pplx_local.store.connection import Database, create_file
from pplx_local.store.dense import DenseTable
from pplx_local.store.nearest import nearest
from pplx_local.store.selection import Selection

DENSE = SpaceSpec("dense", "tiny", {"weights": "1"}, "d1", 16, 64)
LATE = SpaceSpec("late", "tiny", {"weights": "1"}, "l1", 16, 16, "bits")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "index.db") as store:
        store.add_folder(b"/a", 1, 1)
        yield store


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("dense") / "index.db"
    create_file(path)
    database = Database(path)
    yield database
    database.close()


def brute_force(
    rows: dict[int, NDArray[np.uint8]], query: NDArray[np.uint8], k: int
) -> tuple[list[int], list[int]]:
    pairs = sorted(
        (int(np.bitwise_count(bits ^ query).sum()), row_id)
        for row_id, bits in rows.items()
    )[:k]
    return [row_id for _, row_id in pairs], [distance for distance, _ in pairs]


def fill(database: Database, bits: NDArray[np.uint8], first: int = 1) -> DenseTable:
    database.execute("DROP TABLE IF EXISTS tried")
    table = DenseTable(database, "tried", 8, bits.shape[1] * 8)
    table.create()
    codes = b"\x01" * 8
    with database.transaction():
        table.insert((first + i, codes, row.tobytes()) for i, row in enumerate(bits))
    return table


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nearest_is_brute_force_with_heavy_ties(
    database: Database, data: st.DataObject
) -> None:
    n_rows = data.draw(st.integers(0, 300), "rows")
    k = data.draw(st.integers(1, 400), "k")
    rng = np.random.default_rng(data.draw(st.integers(0, 999), "seed"))
    # Few distinct values: most distances are equal.
    bits = rng.choice(np.array([0, 1, 3, 255], np.uint8), (n_rows, 1))
    table = fill(database, bits)
    gone = set(rng.choice(n_rows + 1, min(n_rows, 40), replace=False).tolist())
    with database.transaction():
        table.delete(gone & set(range(1, n_rows + 1)))
    rows = {i: row for i, row in enumerate(bits, 1) if i not in gone}
    query = rng.integers(0, 256, 1, dtype=np.uint8)
    expected = brute_force(rows, query, k)
    ids, distances = nearest(table, query, k)
    assert (ids.tolist(), distances.tolist()) == expected


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_nearest_of_a_selection_are_brute_force_too(
    database: Database, data: st.DataObject
) -> None:
    n_rows = data.draw(st.integers(0, 300), "rows")
    k = data.draw(st.integers(1, 100), "k")
    share = data.draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]), "share")
    rng = np.random.default_rng(data.draw(st.integers(0, 999), "seed"))
    bits = rng.integers(0, 256, (n_rows, data.draw(st.sampled_from([1, 8, 18]))), "u1")
    table = fill(database, bits)
    query = rng.integers(0, 256, bits.shape[1], dtype=np.uint8)
    held = np.flatnonzero(rng.random(n_rows) < share) + 1
    expected = brute_force({int(i): bits[i - 1] for i in held}, query, k)

    def test(chunk_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(chunk_ids, held)

    for listed in (held, None):
        within = Selection(listed, test, share)
        ids, distances = nearest(table, query, k, within)
        assert (ids.tolist(), distances.tolist()) == expected


@pytest.mark.parametrize("k", [10, 500, 5000, 20_000])
def test_ten_thousand_identical_vectors_beyond_sqlite_vecs_limit_of_k(
    database: Database, k: int
) -> None:
    bits = np.zeros((10_500, 1), np.uint8)
    bits[10_000:] = 1
    table = fill(database, bits)
    ids, _ = nearest(table, np.zeros(1, np.uint8), k)
    assert ids.tolist() == list(range(1, min(k, 10_500) + 1))


def test_the_shortlist_survives_a_vacuum_after_holes(database: Database) -> None:
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 256, (3_000, 8), dtype=np.uint8)
    table = fill(database, bits)
    with database.transaction():
        table.delete(range(1, 2_500))
    database.execute("VACUUM")
    query = rng.integers(0, 256, 8, dtype=np.uint8)
    rows = {i: row for i, row in enumerate(bits, 1) if i >= 2_500}
    expected = brute_force(rows, query, 50)[0]
    assert nearest(table, query, 50)[0].tolist() == expected


def write(store: Store, name: str, n_chunks: int) -> tuple[int, list[int]]:
    with store.transaction():
        with store.write_document(name, "p") as writer:
            words = [f"{name} word{i} " for i in range(n_chunks)]
            ends = np.cumsum([0, *map(len, words)]).tolist()
            chunks = tuple(
                Chunk(i, Span(ends[i], ends[i + 1])) for i in range(n_chunks)
            )
            writer.add(TextBlock(0, "".join(words), chunks))
            writer.finish(Document("text", 1, None, None, ends[-1], ()))
        document_id = writer.document_id
        point(store, name, document_id)
    return document_id, [chunk_id for chunk_id, _, _ in store.chunk_texts(document_id)]


def point(store: Store, name: str, document_id: int) -> None:
    folder = store.folders()[0].folder_id
    path = b"/a/" + name.encode()
    store.put_file(
        FileRecord(path, folder, 1, 1, 1, 1, name, "indexed", None, document_id)
    )


def random_dense(seed: int, n_rows: int) -> DenseVectors:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-127, 127, (n_rows, 16), dtype=np.int8)
    return DenseVectors(codes, rng.integers(0, 256, (n_rows, 8), dtype=np.uint8))


def random_tokens(seed: int, lengths: list[int]) -> TokenVectors:
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    return TokenVectors(
        "bits",
        rng.integers(0, 256, (n, 2), dtype=np.uint8),
        None,
        np.arange(-1, n - 1, dtype=np.int32),
        np.cumsum([0, *lengths], dtype=np.int32),
    )


def encoded(store: Store, name: str, n_chunks: int, seed: int) -> tuple[int, list[int]]:
    document_id, ids = write(store, name, n_chunks)
    space = opened(store, DENSE)
    store.write_vectors(space, bytes([seed] * 16), ids, random_dense(seed, n_chunks))
    store.finish_document(space, document_id, 0)
    return document_id, ids


def opened(store: Store, spec: SpaceSpec) -> Space:
    space = store.open_space(spec)
    assert space is not None
    return space


QUERY = np.arange(8, dtype=np.uint8)


def test_what_is_written_is_read_in_the_order_asked(store: Store) -> None:
    _, ids = encoded(store, "one", 5, 1)
    expected = random_dense(1, 5).codes
    space = opened(store, DENSE)
    asked = [ids[3], 999, ids[0], ids[3]]
    codes = store.dense_codes(space, asked)
    assert np.array_equal(codes[[0, 2, 3]], expected[[3, 0, 3]])
    assert not codes[1].any()


def test_codes_are_those_of_the_rows_after_holes(store: Store) -> None:
    space = opened(store, DENSE)
    _, ids = encoded(store, "a", 40, 1)
    _, others = encoded(store, "b", 40, 2)
    store.forget_files([b"/a/b"])
    store.settle_documents(1)
    vectors = store.dense_codes(space, [*others, *ids[::-1], 999])
    wanted = random_dense(1, 40).codes[::-1]
    assert np.array_equal(vectors[40:80], wanted)
    assert not vectors[:40].any()
    assert not vectors[80:].any()


def test_a_vector_without_direction_is_left_out(store: Store) -> None:
    _, ids = write(store, "one", 2)
    space = opened(store, DENSE)
    given_vectors = random_dense(1, 2)
    given_vectors.codes[0] = 0
    store.write_vectors(space, b"d" * 16, ids, given_vectors)
    assert store.nearest(space, QUERY, 10)[0].tolist() == [ids[1]]
    assert store.encoded_chunks(space, 1) == set(ids)


def test_token_vectors_come_back_packed(store: Store) -> None:
    _, ids = write(store, "one", 3)
    space = opened(store, LATE)
    tokens = random_tokens(1, [2, 0, 3])
    store.write_vectors(space, b"t" * 16, ids, tokens)
    found = store.token_vectors(space, [ids[2], 999, ids[1], ids[0], ids[2]])
    assert found.cu_seqlens.tolist() == [0, 3, 3, 3, 5, 8]
    order = [2, 3, 4, 0, 1, 2, 3, 4]
    assert np.array_equal(found.codes, tokens.codes[order])
    assert np.array_equal(found.positions, tokens.positions[order])
    assert found.scales is None
    assert found.positions.dtype == np.int32


def test_int8_tokens_keep_scales_and_far_positions(store: Store) -> None:
    _, ids = write(store, "one", 1)
    spec = SpaceSpec("late", "wide", {}, "l8", 4, 0, "int8")
    space = opened(store, spec)
    tokens = TokenVectors(
        "int8",
        np.array([[1, -2, 3, -128]], np.int8),
        np.array([0.25], np.float32),
        np.array([70_000], np.int32),
        np.array([0, 1], np.int32),
    )
    store.write_vectors(space, b"t" * 16, ids, tokens)
    found = store.token_vectors(space, ids)
    assert found.codes.tolist() == tokens.codes.tolist()
    assert found.scales is not None
    assert found.scales.tolist() == [0.25]
    assert found.positions.tolist() == [70_000]
    with pytest.raises(ValueError, match="do not fit"):
        store.write_vectors(space, b"u" * 16, ids, random_tokens(1, [1]))


def test_hidden_documents_leave_and_return_exactly(store: Store) -> None:
    first, _ = encoded(store, "one", 4, 1)
    _, kept = encoded(store, "two", 4, 2)
    space = opened(store, DENSE)
    before = store.nearest(space, QUERY, 10), store.null_sample().tolist()
    store.forget_files([b"/a/one"])
    assert store.settle_documents(5) == (1, 0)
    assert store.settle_documents(6) == (0, 0)
    assert sorted(store.nearest(space, QUERY, 10)[0].tolist()) == kept
    assert sorted(store.null_sample().tolist()) == kept
    assert store.find_document("one", "p") == first
    point(store, "one", first)
    assert store.settle_documents(7) == (0, 1)
    after = store.nearest(space, QUERY, 10), store.null_sample().tolist()
    assert np.array_equal(before[0], after[0])
    assert before[1] == after[1]


def test_windows_of_hidden_documents_can_be_copied(store: Store) -> None:
    _, old = encoded(store, "one", 3, 1)
    late = opened(store, LATE)
    store.write_vectors(late, bytes([1] * 16), old, random_tokens(1, [1, 2, 3]))
    store.forget_files([b"/a/one"])
    store.settle_documents(5)
    _, new = write(store, "two", 3)
    space = opened(store, DENSE)
    known = store.known_windows(space, [bytes([1] * 16), b"?" * 16])
    assert known == {bytes([1] * 16): tuple(old)}
    store.copy_vectors(space, bytes([1] * 16), old, new)
    store.copy_vectors(late, bytes([1] * 16), old, new)
    assert np.array_equal(store.dense_codes(space, new), random_dense(1, 3).codes)
    assert store.token_vectors(late, new).cu_seqlens.tolist() == [0, 1, 3, 6]
    assert store.encoded_chunks(space, 2) == set(new)
    store.purge()
    assert np.array_equal(store.dense_codes(space, new), random_dense(1, 3).codes)
    assert store.known_windows(space, [bytes([1] * 16)]) == {
        bytes([1] * 16): tuple(new)
    }


def test_writing_again_replaces(store: Store) -> None:
    _, ids = encoded(store, "one", 3, 1)
    space = opened(store, DENSE)
    store.write_vectors(space, b"n" * 16, ids, random_dense(7, 3))
    assert np.array_equal(store.dense_codes(space, ids), random_dense(7, 3).codes)
    assert len(store.nearest(space, QUERY, 10)[0]) == 3


def test_a_window_over_others_replaces_them(store: Store) -> None:
    _, ids = encoded(store, "one", 4, 1)
    space = opened(store, DENSE)
    store.write_vectors(space, b"n" * 16, ids[2:], random_dense(7, 2))
    assert np.array_equal(store.dense_codes(space, ids[2:]), random_dense(7, 2).codes)
    assert store.known_windows(space, [bytes([1] * 16), b"n" * 16]) == {
        b"n" * 16: tuple(ids[2:])
    }
    store.write_vectors(space, b"o" * 16, ids, random_dense(8, 4))
    assert store.encoded_chunks(space, 1) == set(ids)
    assert store.known_windows(space, [b"n" * 16]) == {}


@pytest.mark.parametrize("two_from", [10_000, 1])
def test_a_large_table_is_measured_beside_the_caller(
    store: Store, monkeypatch: pytest.MonkeyPatch, two_from: int
) -> None:
    _, ids = encoded(store, "one", 40, 1)
    encoded(store, "many", 3_000, 2)  # several blocks
    store.forget_files([b"/a/many"])
    store.settle_documents(1)
    space = opened(store, DENSE)
    before = store.nearest(space, QUERY, 30)
    monkeypatch.setattr(vectors, "_ROWS_TO_BEGIN", 1)
    monkeypatch.setattr(vectors, "_ROWS_FOR_TWO", two_from)
    for _ in range(2):
        begun = [store.begin_nearest(space, QUERY, 30) for _ in range(3)]
        store.dense_codes(space, ids)  # the caller's connection is free
        for wait in begun:
            assert np.array_equal(before, wait())
    listed = np.array(ids[:20])
    few = Selection(listed, lambda asked: np.isin(asked, listed), 0.5)
    assert set(store.begin_nearest(space, QUERY, 30, few)()[0]) == set(ids[:20])
    with store.transaction():  # on this connection, which sees what was written
        encoded(store, "two", 2, 9)
        assert len(store.begin_nearest(space, QUERY, 99)()[0]) == 42
    assert len(store.begin_nearest(space, QUERY, 99)()[0]) == 42


def test_a_table_may_be_rebuilt_while_a_reader_sizes_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ids = encoded(store, "one", 40, 1)
    space, allocated = opened(store, DENSE), DenseTable.allocated

    def rebuilt_meanwhile(table: DenseTable) -> int:
        monkeypatch.setattr(DenseTable, "allocated", allocated)
        store.tidy()
        return allocated(table)

    monkeypatch.setattr(vectors, "BLOCK_ROWS", 0)  # so that there are holes enough
    monkeypatch.setattr(vectors, "_ROWS_TO_BEGIN", 1)
    monkeypatch.setattr(DenseTable, "allocated", rebuilt_meanwhile)
    with Store.open(store.path, readonly=True) as reader:
        assert sorted(reader.begin_nearest(space, QUERY, 99)()[0]) == ids


@pytest.mark.parametrize("n_shards", [1, 4])
def test_vectors_in_shards_become_one_piece(tmp_path: Path, n_shards: int) -> None:
    """Those of schema 5."""
    path, rng = tmp_path / "index.db", np.random.default_rng(5)
    bits = rng.integers(0, 256, (2_000, 8), dtype=np.uint8)
    codes = rng.integers(-127, 128, (2_000, 16), dtype=np.int8)
    create_file(path)
    database = Database(path)
    with database.transaction():
        for migration in schema.MIGRATIONS[:5]:
            migration(database)
        database.execute(
            f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = 5;"
            " INSERT INTO spaces VALUES (3, 'dense', 'tiny', 'd1', '{}', 16, 64, NULL,"
            f" 2, {n_shards}); CREATE VIRTUAL TABLE dense_3_2 USING vec0(shard integer"
            " partition key, codes int8[16] distance_metric=cosine, bits bit[64],"
            " chunk_size=1024)"
        )
        database.many(
            "INSERT INTO dense_3_2 (rowid, shard, codes, bits)"
            " VALUES (?, ?, vec_int8(?), vec_bit(?))",
            (
                (i, i % n_shards, codes[i].tobytes(), bits[i].tobytes())
                for i in range(2_000)
            ),
        )
    database.close()
    with Store.open(path) as store:
        [space] = store.spaces()
        expected = brute_force(dict(enumerate(bits)), QUERY, 50)
        ids, distances = store.nearest(space, QUERY, 50)
        assert (ids.tolist(), distances.tolist()) == expected
        assert np.array_equal(store.dense_codes(space, range(2_000)), codes)
        assert store.integrity_check() == []


def test_a_purge_closes_the_holes(store: Store) -> None:
    for i in range(40):
        encoded(store, f"f{i}", 100, i)
    space = opened(store, DENSE)
    store.forget_files(b"/a/f%d" % i for i in range(1, 40))
    store.settle_documents(5)
    store.purge()
    assert store.bytes_by_part()["dense"] == 1024 * (16 + 8 + 8)
    assert len(store.nearest(space, QUERY, 500)[0]) == 100


def test_dropping_a_space_leaves_no_table(store: Store) -> None:
    encoded(store, "one", 3, 1)
    opened(store, LATE)
    for space in store.spaces():
        store.drop_space(space)
    left = store._database.rows(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_[0-9]*'"
    )
    assert left == []
    assert store._database.value("SELECT count(*) FROM document_spaces") == 0
    assert opened(store, DENSE).space_id == 3


def test_a_table_of_vectors_that_is_damaged_is_called_so(store: Store) -> None:
    """What to do about it is told; sqlite-vec tells of an error inside of it."""
    encoded(store, "one", 3, 1)
    rows = store._database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in list(rows):
        if "_vector_chunks" in table:
            store._database.execute(f'DELETE FROM "{table}"')
    with pytest.raises(StoreDamaged, match="Delete it"):
        encoded(store, "two", 3, 2)
