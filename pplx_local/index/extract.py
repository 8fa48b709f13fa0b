"""From a path to the text that is indexed for it, a stretch at a time."""

from __future__ import annotations

import os
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.errors import FolderError
from pplx_local.index.paths import absolute, followed
from pplx_local.index.verdict import what_became
from pplx_local.records import Extract, Section, Span
from pplx_local.store import Store

MAX_CHARS = 200_000
"""Of an extract: far more than any screen shows, and still a short answer."""

_SHORT_CHARS = 2_000
"""How far the border of a line is looked for: some files are one line."""


def extract(store: Store, path: Path, wanted: Span, settings: Settings) -> Extract:
    """Cut a stretch out of a file's text, widened to whole lines where they are short.

    A document is stored in blocks, of which no more are read than the stretch needs.

    Args:
        store: The index.
        path: An indexed file.
        wanted: Characters of its text; what lies outside of it is passed over.
        settings: By which files are passed over.

    Raises:
        FolderError: The file has no text in the index.
    """
    with store.snapshot():
        document_id = document_at(store, path, settings)
        title, n_chars = store.title_and_length(document_id)
        start, text = _whole_lines(store, document_id, _within(wanted, n_chars))
        segments = store.segments(document_id, Span(start, start + len(text)))
        line = store.line_of(document_id, start)
    sections = tuple(Section(one.kind, one.label, *one.char_span) for one in segments)
    return Extract(start, text, line, n_chars, title, sections)


def _within(wanted: Span, n_chars: int) -> Span:
    start = min(max(wanted.start, 0), n_chars)
    return Span(start, min(max(wanted.end, start), start + MAX_CHARS, n_chars))


def _whole_lines(store: Store, document_id: int, wanted: Span) -> tuple[int, str]:
    """Give a stretch from where its first line begins, and where that is."""
    outer = max(wanted.start - _SHORT_CHARS, 0)
    text = store.text(document_id, Span(outer, wanted.end + _SHORT_CHARS))
    start, end = wanted.start - outer, wanted.end - outer
    begin = text.rfind("\n", 0, start) + 1
    if not begin and outer:
        begin = start
    stop = text.find("\n", max(end - 1, start)) + 1
    if not stop:
        stop = end if len(text) - end == _SHORT_CHARS else len(text)
    return outer + begin, text[begin : min(stop, begin + MAX_CHARS)]


def document_at(store: Store, path: Path, settings: Settings) -> int:
    """Find the document of a file, also where a link leads to it.

    The disk is asked only about a path that the index does not know.

    Raises:
        FolderError: The file has no text in the index.
    """
    here = absolute(path)
    document_id = _document_of(store, here) or _document_of(store, followed(here))
    if document_id is None:
        raise FolderError(_why_no_text(path, store, settings))
    return document_id


def _document_of(store: Store, path: Path) -> int | None:
    file = store.file(os.fsencode(path))
    if file and file.document_id and store.is_visible(file.document_id):
        return file.document_id
    return None


def _why_no_text(path: Path, store: Store, settings: Settings) -> str:
    if os.path.isdir(path):  # noqa: PTH112  is_dir() can raise
        return f"{path} is a folder. Name a file in it."
    found = followed(absolute(path))
    record = store.file(os.fsencode(found))
    if record is None:
        why = what_became(found, store, settings)
        return f"There is no text of {path} in the index: {why}"
    if record.state in ("empty", "no_text"):
        said = f"There is no text in {path}"
    else:
        said = f"{path} is not in the index ({record.state})"
    why = "" if record.reason in (None, record.state) else f": {record.reason}"
    return f"{said}{why}. Name a file that pplx-local files lists as indexed."
