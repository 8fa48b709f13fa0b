"""Filters as SQL over `files AS f` and `documents AS d`.

A condition says what has to hold for one file; a probe finds the files or documents of
which it may hold through an index, quickly and perhaps a few too many.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from pplx_local.store.connection import Database
from pplx_local.store.filters import Among, Filters, Parts
from pplx_local.store.names import fold, grams

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NS_PER_DAY = 86_400 * 10**9
_ALL_DAYS = (0, 4_000_000)
_ALL_NS = (-(1 << 63), (1 << 63) - 1)
_WILDCARD = re.compile(r"[*?[]")
_MOST_STARS = 8
_LONGEST_PATTERN = 1_000

DAY_NS = f"coalesce((d.day - {_EPOCH_DAY}) * {_NS_PER_DAY}, f.mtime_ns)"
"""SQL for when a document was written, in nanoseconds since 1970, to the day."""


class Condition(NamedTuple):
    """A piece of SQL with its bindings."""

    sql: str
    bindings: tuple[Any, ...] = ()
    probe: str = ""
    """Empty where no index helps."""
    probe_bindings: tuple[Any, ...] = ()


def conditions(filters: Filters, database: Database) -> list[Condition]:
    """Write down what filters ask of files and documents."""
    found = [
        *_path(filters.path, database),
        *_title(filters.title),
        *_author(filters.author),
        *_among("f.type", filters.extension),
        *_among("d.language", filters.language),
    ]
    if filters.after or filters.before:
        found.append(_day(filters.after, filters.before))
    return found


def joined(
    asked: Sequence[Condition], probed: Condition | None = None
) -> tuple[str, list[Any]]:
    """Join conditions with AND, and with the probe of one of them to start from."""
    parts = ["f.document_id IS NOT NULL", "d.hidden_ns IS NULL"]
    parts += [one.sql for one in asked]
    bindings = [value for one in asked for value in one.bindings]
    if probed and probed.probe:
        parts.append(probed.probe)
        bindings += probed.probe_bindings
    return " AND ".join(parts), bindings


def _any(parts: Sequence[Condition], probed: str) -> Condition:
    """Let one of several be enough; `probed` is the column that their probes give."""
    probes = [part.probe for part in parts]
    return Condition(
        f"({' OR '.join(part.sql for part in parts)})",
        tuple(value for part in parts for value in part.bindings),
        f"{probed} IN ({' UNION ALL '.join(probes)})" if all(probes) else "",
        tuple(value for part in parts for value in part.probe_bindings),
    )


def _path(parts: Parts, database: Database) -> Iterator[Condition]:
    if parts.wanted:
        wanted = [_path_part(part, database) for part in parts.wanted]
        yield _any(wanted, "f.file_id")
    for part in parts.unwanted:
        unwanted = _path_part(part, database)
        yield Condition(f"NOT ({unwanted.sql})", unwanted.bindings)


def _path_part(part: str, database: Database) -> Condition:
    part = _followed(part, database) if part.startswith("/") else part
    if _is_pattern(part):
        return _pattern(fold(part))
    if part.startswith("/") and (folder := _folder(part, database)):
        return folder
    return _substring(fold(part))


def _followed(path: str, database: Database) -> str:
    """Follow links, up to a wildcard: files are known by where they lie."""
    fixed = _WILDCARD.split(path)[0]
    folder = path if fixed == path else fixed.rpartition("/")[0]
    if not folder or _folder(folder, database):
        return path
    try:
        real = os.path.realpath(folder)
    except (OSError, ValueError):  # no name of a file: a zero byte, say
        return path
    has_links = real != os.path.normpath(folder)
    return real + path[len(folder) :] if has_links else path


def _is_pattern(part: str) -> bool:
    """Tell patterns from odd names that would take SQLite for ever, or are refused."""
    is_short = part.count("*") <= _MOST_STARS and len(part) <= _LONGEST_PATTERN
    return is_short and bool(_WILDCARD.search(part))


def _folder(path: str, database: Database) -> Condition | None:
    """Take all that lies in a folder; None where no file is known there."""
    inside = os.fsencode(path.rstrip("/")) + b"/"
    # "0" is the byte that follows "/".
    bounds = (inside[:-1], inside, inside[:-1] + b"0")
    sql = "(f.path = ? OR f.path >= ? AND f.path < ?)"
    if database.value(f"SELECT EXISTS (SELECT 1 FROM files f WHERE {sql})", bounds):
        probe = (
            "SELECT file_id FROM files WHERE path = ?"
            " UNION ALL SELECT file_id FROM files WHERE path >= ? AND path < ?"
        )
        return Condition(sql, bounds, probe, bounds)
    return None


def _pattern(folded: str) -> Condition:
    """Match a pattern that begins and ends anywhere between two slashes."""
    anchored = folded if folded.startswith("/") else f"*/{folded}"
    sql = "(f.folded GLOB ? OR f.folded GLOB ?)"
    return Condition(sql, (anchored, f"{anchored.rstrip('/')}/*"))


def _substring(folded: str) -> Condition:
    sql, found = "instr(f.folded, ?) > 0", grams(folded)
    if found is None:
        return Condition(sql, (folded,))
    probe = "SELECT rowid FROM path_grams WHERE path_grams MATCH ?"
    return Condition(sql, (folded,), probe, (found,))


def _title(parts: Parts) -> Iterator[Condition]:
    return _stated(parts, _title_part)


def _author(parts: Parts) -> Iterator[Condition]:
    return _stated(parts, _author_part)


def _stated(parts: Parts, one: Callable[[str], Condition]) -> Iterator[Condition]:
    if parts.wanted:
        yield _any([one(part) for part in parts.wanted], "d.document_id")
    for part in parts.unwanted:
        unwanted = one(part)
        yield Condition(f"NOT ({unwanted.sql})", unwanted.bindings)


def _title_part(part: str) -> Condition:
    folded = fold(part)
    found = grams(folded)
    sql = (
        "CASE WHEN d.folded_title IS NULL"
        " THEN instr(substr(f.folded, f.name_start), ?) > 0"
        " ELSE instr(d.folded_title, ?) > 0 END"
    )
    if found is None:
        return Condition(sql, (folded, folded))
    probe = (
        "SELECT rowid FROM title_grams WHERE title_grams MATCH ?"
        " UNION ALL SELECT document_id FROM files WHERE file_id IN"
        " (SELECT rowid FROM path_grams WHERE path_grams MATCH ?)"
    )
    return Condition(sql, (folded, folded), probe, (found, found))


def _author_part(part: str) -> Condition:
    folded = fold(part)
    found = grams(folded)
    sql = "instr(coalesce(d.folded_author, ''), ?) > 0"
    if found is None:
        return Condition(sql, (folded,))
    probe = "SELECT rowid FROM author_grams WHERE author_grams MATCH ?"
    return Condition(sql, (folded,), probe, (found,))


def _among(column: str, some: Among | None) -> Iterator[Condition]:
    if some is None:
        return
    values = json.dumps(sorted(some.values))
    within = f"{column} IN (SELECT value FROM json_each(?))"
    if some.inverted:
        yield Condition(f"({column} IS NULL OR NOT {within})", (values,))
    else:
        yield Condition(within, (values,))


def _day(after: date | None, before: date | None) -> Condition:
    days = (
        after.toordinal() if after else _ALL_DAYS[0],
        before.toordinal() if before else _ALL_DAYS[1],
    )
    instants = (
        _midnight_ns(after) if after else _ALL_NS[0],
        _midnight_ns(before) if before else _ALL_NS[1],
    )
    return Condition(
        "CASE WHEN d.day IS NULL THEN f.mtime_ns >= ? AND f.mtime_ns < ?"
        " ELSE d.day >= ? AND d.day < ? END",
        instants + days,
        "d.document_id IN (SELECT document_id FROM documents WHERE day >= ? AND day < ?"
        " UNION ALL SELECT document_id FROM files"
        " WHERE document_id IS NOT NULL AND mtime_ns >= ? AND mtime_ns < ?)",
        days + instants,
    )


def _midnight_ns(day: date) -> int:
    """Give the start of a day where the person is, in nanoseconds since 1970."""
    start = datetime(day.year, day.month, day.day)
    try:
        seconds = time.mktime(start.timetuple())
    except (OverflowError, ValueError):  # long ago, or long hence, for the system
        seconds = float(day.toordinal() - _EPOCH_DAY) * 86_400
    return min(max(int(seconds) * 10**9, _ALL_NS[0]), _ALL_NS[1])
