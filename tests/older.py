"""Databases as older versions of the schema left them."""

from __future__ import annotations

from collections.abc import Callable

from pplx_local.store import schema
from pplx_local.store.connection import Database

_UNDO = {
    schema.m009_stale: "DROP INDEX queue_newest; ALTER TABLE queue DROP COLUMN stale;"
    " CREATE INDEX queue_newest ON queue (mtime_ns DESC)",
    schema.m008_kills: "DROP TABLE kills",
    schema.m007_authors: "DROP TRIGGER author_comes; DROP TRIGGER author_goes;"
    " DROP TABLE author_grams; ALTER TABLE documents DROP COLUMN folded_author",
    schema.m006_no_shards: "ALTER TABLE spaces ADD COLUMN shards INTEGER NOT NULL"
    " DEFAULT 1",
    schema.m005_no_mean: "ALTER TABLE spaces ADD COLUMN token_mean BLOB",
    schema.m004_names: "DROP TRIGGER name_comes; DROP TRIGGER name_counts;"
    " DROP TRIGGER name_counts_no_more; DROP TRIGGER name_goes;"
    " DROP TABLE names_words; DROP TABLE names; ALTER TABLE files DROP COLUMN name_words",
}


def undo(database: Database, migration: Callable[[Database], None]) -> None:
    """Leave a database as it was before a migration; tables of spaces stay."""
    number = schema.MIGRATIONS.index(migration)
    with database.transaction():
        for later in reversed(schema.MIGRATIONS[number:]):
            database.execute(_UNDO[later])
        database.execute(f"PRAGMA user_version = {number}")
