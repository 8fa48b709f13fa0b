"""The tables, as migrations that are applied in order and recorded.

`user_version` counts the migrations applied; `application_id` says that the file is
ours. Tables of a space (`dense_*`, `parked_*`, `tokens_*`, `windows_*`) are made with
the space.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from pplx_local.errors import SchemaTooNew, StoreDamaged, StoreError
from pplx_local.store.connection import Database, Row
from pplx_local.store.lexical.naming import name_words
from pplx_local.store.names import facts_of, fold, fold_author

APPLICATION_ID = 0x70706C78
"""The letters "pplx"."""

TOKENIZER = (
    "porter unicode61 remove_diacritics 2 categories ''L* N* Co Mn Mc''"  # doubled: SQL
)
"""Marks are letters too: without them Hindi and Thai words break at vowel signs."""


def m001_first(database: Database) -> None:
    """Make the tables of the first version."""
    database.execute(_FIRST)


def m002_queue(database: Database) -> None:
    """Let the files that have to be read wait in the database."""
    database.execute(_QUEUE)


def m003_facts(database: Database) -> None:
    """Let files be found by their names, types and days, documents by what they state."""
    database.execute(_FACTS)
    for rows in _files(database):
        database.many(
            "UPDATE files SET folded = ?, name_start = ?, type = ? WHERE file_id = ?",
            ((*facts_of(path), file_id) for file_id, path in rows),
        )
    titles = database.rows(
        "SELECT document_id, title FROM documents WHERE title IS NOT NULL"
    )
    database.many(
        "UPDATE documents SET folded_title = ? WHERE document_id = ?",
        ((fold(title), document_id) for document_id, title in titles),
    )
    # The columns are filled before the triggers are there.
    database.execute(_GRAMS)


def m004_names(database: Database) -> None:
    """Let the keyword search see the names of files."""
    database.execute("ALTER TABLE files ADD COLUMN name_words TEXT NOT NULL DEFAULT ''")
    for rows in _files(database):
        database.many(
            "UPDATE files SET name_words = ? WHERE file_id = ?",
            ((name_words(path), file_id) for file_id, path in rows),
        )
    database.execute(_NAMES)


def m005_no_mean(database: Database) -> None:
    """Forget mean token vectors: signs around them are no better than plain ones."""
    database.execute("ALTER TABLE spaces DROP COLUMN token_mean")


def m006_no_shards(database: Database) -> None:
    """Keep the vectors of a space in one piece: nothing is asked of parts any more."""
    tables = database.rows(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"
        " AND instr(sql, ?) AND name LIKE 'dense/_%' ESCAPE '/'",
        (_SHARD,),
    )
    for old, sql in tables:
        role, space_id, epoch = old.split("_")
        new = f"{role}_{space_id}_{int(epoch) + 1}"  # vec0 cannot rename a table
        database.execute(sql.replace(old, new, 1).replace(_SHARD, ""))
        database.execute(
            f"INSERT INTO {new} (rowid, codes, bits)"
            f" SELECT rowid, vec_int8(codes), vec_bit(bits) FROM {old}"
        )
        database.execute(f"DROP TABLE {old}")
    database.execute(
        "UPDATE spaces SET epoch = epoch + 1; ALTER TABLE spaces DROP COLUMN shards"
    )


def m007_authors(database: Database) -> None:
    """Let documents be found by their authors."""
    database.execute("ALTER TABLE documents ADD COLUMN folded_author TEXT")
    database.execute(_AUTHORS)
    stated = database.rows(
        "SELECT document_id, metadata FROM documents WHERE instr(metadata, '\"author\"')"
    )
    database.many(
        "UPDATE documents SET folded_author = ? WHERE document_id = ?",
        (
            (fold_author(json.loads(metadata)), document_id)
            for document_id, metadata in stated
        ),
    )


def m008_kills(database: Database) -> None:
    """Count how often bytes killed their parser."""
    database.execute(_KILLS)


def m009_stale(database: Database) -> None:
    """Let files wait apart whose documents an older program made."""
    database.execute(_STALE)


def _files(database: Database) -> Iterator[list[Row]]:
    """List the files (id, path), some at a time."""
    after = 0
    while rows := database.rows(
        "SELECT file_id, path FROM files WHERE file_id > ? ORDER BY file_id LIMIT ?",
        (after, _ROWS_AT_ONCE),
    ):
        yield rows
        after = rows[-1][0]


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    m001_first,
    m002_queue,
    m003_facts,
    m004_names,
    m005_no_mean,
    m006_no_shards,
    m007_authors,
    m008_kills,
    m009_stale,
)
SCHEMA_VERSION = len(MIGRATIONS)


def upgrade(database: Database) -> None:
    """Bring a database to the present schema, all of it or nothing.

    Raises:
        SchemaTooNew: A newer program wrote it.
        StoreDamaged: It is a database of another program.
        StoreError: It is empty or old, and opened for reading only.
    """
    version = _version(database)
    if version == SCHEMA_VERSION:
        return
    if database.readonly:
        raise _needs_writing(database, version)
    with database.transaction():
        # Read again under the write lock: another process may have upgraded it.
        for migration in MIGRATIONS[_version(database) :]:
            migration(database)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(database: Database) -> int:
    version = int(database.value("PRAGMA user_version"))
    owner = database.value("PRAGMA application_id")
    fresh = not database.value("SELECT count(*) FROM sqlite_schema")
    if owner != APPLICATION_ID and not (fresh and owner == 0 and version == 0):
        raise StoreDamaged(
            f"{database.path} is a database, but not an index of pplx-local. Choose "
            "another home with --home, or move the file away."
        )
    if version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The index {database.path} was written by a newer pplx-local (schema "
            f"{version}, this one knows {SCHEMA_VERSION}). Update pplx-local, or "
            "choose another home with --home."
        )
    return version


def _needs_writing(database: Database, version: int) -> StoreError:
    if version == 0:
        return no_index(database.path)
    return StoreError(
        f"The index {database.path} has an older schema ({version}). Run pplx-local "
        "update once to upgrade it."
    )


def no_index(path: Path) -> StoreError:
    """Say that nothing was indexed yet."""
    return StoreError(
        f"There is no index yet at {path}. Run pplx-local add PATH first."
    )


_ROWS_AT_ONCE = 10_000
_SHARD = "shard integer partition key,"

_FIRST = f"""
CREATE TABLE folders (
    folder_id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    device INTEGER NOT NULL,
    added_ns INTEGER NOT NULL,
    scanned_ns INTEGER
) STRICT;
CREATE TABLE documents (
    document_id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    first_chunk INTEGER NOT NULL,
    n_chunks INTEGER NOT NULL,
    n_chars INTEGER NOT NULL,
    parser TEXT NOT NULL,
    parser_version INTEGER NOT NULL,
    title TEXT,
    language TEXT,
    metadata TEXT NOT NULL,
    hidden_ns INTEGER,
    UNIQUE (digest, pipeline)
) STRICT;
CREATE INDEX documents_hidden ON documents (hidden_ns) WHERE hidden_ns IS NOT NULL;
CREATE TABLE files (
    file_id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    folder_id INTEGER NOT NULL REFERENCES folders ON DELETE CASCADE,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    digest TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    document_id INTEGER REFERENCES documents ON DELETE SET NULL,
    pipeline TEXT,
    retry INTEGER NOT NULL
) STRICT;
CREATE INDEX files_by_folder ON files (folder_id, state);
CREATE INDEX files_by_document ON files (document_id) WHERE document_id IS NOT NULL;
CREATE TABLE blocks (
    block_id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    char_start INTEGER NOT NULL,
    n_chars INTEGER NOT NULL,
    newlines_before INTEGER NOT NULL,
    text BLOB NOT NULL,
    UNIQUE (document_id, char_start)
) STRICT;
CREATE TABLE segments (
    document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL,
    PRIMARY KEY (document_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE chunks (
    chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL,
    hash INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_by_hash ON chunks (hash);
CREATE VIRTUAL TABLE lexical USING fts5 (
    body, content='', contentless_delete=1, tokenize='{TOKENIZER}'
);
CREATE VIRTUAL TABLE lexical_words USING fts5vocab (lexical, row);
CREATE TABLE spaces (
    space_id INTEGER PRIMARY KEY AUTOINCREMENT,
    role TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    rules TEXT NOT NULL,
    dim INTEGER NOT NULL,
    n_bits INTEGER NOT NULL,
    token_encoding TEXT,
    token_mean BLOB,
    epoch INTEGER NOT NULL DEFAULT 0,
    shards INTEGER NOT NULL DEFAULT 1,
    UNIQUE (role, checkpoint)
) STRICT;
CREATE TABLE document_spaces (
    document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
    n_without_tokens INTEGER NOT NULL,
    PRIMARY KEY (document_id, space_id)
) STRICT, WITHOUT ROWID"""

_QUEUE = """
CREATE TABLE queue (
    path BLOB PRIMARY KEY REFERENCES files (path) ON DELETE CASCADE,
    folder_id INTEGER NOT NULL REFERENCES folders ON DELETE CASCADE,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_ns INTEGER NOT NULL,
    reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_newest ON queue (mtime_ns DESC);
CREATE INDEX queue_by_inode ON queue (inode)"""

_STALE = """
ALTER TABLE queue ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
DROP INDEX queue_newest;
CREATE INDEX queue_newest ON queue (stale, mtime_ns DESC)"""

_KILLS = """
CREATE TABLE IF NOT EXISTS kills (
    digest TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    n INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (digest, pipeline)
) STRICT, WITHOUT ROWID"""

_FACTS = """
ALTER TABLE files ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN name_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN folded_title TEXT;
ALTER TABLE documents ADD COLUMN day INTEGER;
CREATE INDEX files_by_type ON files (type, document_id)
    WHERE document_id IS NOT NULL;
CREATE INDEX files_by_time ON files (mtime_ns, document_id)
    WHERE document_id IS NOT NULL;
CREATE INDEX documents_by_day ON documents (day) WHERE day IS NOT NULL;
CREATE INDEX documents_by_language ON documents (language)"""

_GRAMS = """
CREATE VIRTUAL TABLE path_grams USING fts5 (
    folded, content='', contentless_delete=1, tokenize='trigram', detail=none
);
CREATE VIRTUAL TABLE title_grams USING fts5 (
    folded, content='', contentless_delete=1, tokenize='trigram', detail=none
);
INSERT INTO path_grams (rowid, folded)
    SELECT file_id, folded FROM files WHERE document_id IS NOT NULL;
INSERT INTO title_grams (rowid, folded)
    SELECT document_id, folded_title FROM documents WHERE folded_title IS NOT NULL;
CREATE TRIGGER path_comes AFTER INSERT ON files WHEN new.document_id IS NOT NULL
BEGIN
    INSERT INTO path_grams (rowid, folded) VALUES (new.file_id, new.folded);
END;
CREATE TRIGGER path_counts AFTER UPDATE OF document_id ON files
    WHEN old.document_id IS NULL AND new.document_id IS NOT NULL
BEGIN
    INSERT INTO path_grams (rowid, folded) VALUES (new.file_id, new.folded);
END;
CREATE TRIGGER path_counts_no_more AFTER UPDATE OF document_id ON files
    WHEN old.document_id IS NOT NULL AND new.document_id IS NULL
BEGIN
    DELETE FROM path_grams WHERE rowid = old.file_id;
END;
CREATE TRIGGER path_goes AFTER DELETE ON files WHEN old.document_id IS NOT NULL
BEGIN
    DELETE FROM path_grams WHERE rowid = old.file_id;
END;
CREATE TRIGGER title_comes AFTER UPDATE OF folded_title ON documents
    WHEN new.folded_title IS NOT NULL
BEGIN
    INSERT INTO title_grams (rowid, folded) VALUES (new.document_id, new.folded_title);
END;
CREATE TRIGGER title_goes AFTER DELETE ON documents WHEN old.folded_title IS NOT NULL
BEGIN
    DELETE FROM title_grams WHERE rowid = old.document_id;
END"""

_NAMES = f"""
CREATE VIRTUAL TABLE names USING fts5 (
    words, content='', contentless_delete=1, tokenize='{TOKENIZER}'
);
CREATE VIRTUAL TABLE names_words USING fts5vocab (names, row);
INSERT INTO names (rowid, words)
    SELECT file_id, name_words FROM files WHERE document_id IS NOT NULL;
CREATE TRIGGER name_comes AFTER INSERT ON files WHEN new.document_id IS NOT NULL
BEGIN
    INSERT INTO names (rowid, words) VALUES (new.file_id, new.name_words);
END;
CREATE TRIGGER name_counts AFTER UPDATE OF document_id ON files
    WHEN old.document_id IS NULL AND new.document_id IS NOT NULL
BEGIN
    INSERT INTO names (rowid, words) VALUES (new.file_id, new.name_words);
END;
CREATE TRIGGER name_counts_no_more AFTER UPDATE OF document_id ON files
    WHEN old.document_id IS NOT NULL AND new.document_id IS NULL
BEGIN
    DELETE FROM names WHERE rowid = old.file_id;
END;
CREATE TRIGGER name_goes AFTER DELETE ON files WHEN old.document_id IS NOT NULL
BEGIN
    DELETE FROM names WHERE rowid = old.file_id;
END"""

_AUTHORS = """
CREATE VIRTUAL TABLE author_grams USING fts5 (
    folded, content='', contentless_delete=1, tokenize='trigram', detail=none
);
CREATE TRIGGER author_comes AFTER UPDATE OF folded_author ON documents
    WHEN new.folded_author IS NOT NULL
BEGIN
    INSERT INTO author_grams (rowid, folded)
        VALUES (new.document_id, new.folded_author);
END;
CREATE TRIGGER author_goes AFTER DELETE ON documents WHEN old.folded_author IS NOT NULL
BEGIN
    DELETE FROM author_grams WHERE rowid = old.document_id;
END"""
