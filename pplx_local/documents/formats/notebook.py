"""Notebooks: what the cells say and what they printed, with the cells as places."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pplx_local.documents.decode import decode_stream
from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import MAX_SEGMENTS, About, label
from pplx_local.documents.formats.json_text import unescaped
from pplx_local.documents.formats.markdown import Markdown
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.records import Segment, Span

Fields = Mapping[str, Any]

_MAX_OUTPUT_CHARS = 2_000
"""Of what a cell printed: more of a log or a table tells no more of what it does."""

_SHOWN = ("text/markdown", "text/plain")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Notebook(Markdown):
    """Cells one after the other: Markdown with its headings, code, and its output."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._cells: list[Segment] = []
        self._starts: list[int] = []

    def pieces(self) -> Iterator[str]:
        """Give the cells; a file that is no notebook is given as it is written."""
        text = "".join(decode_stream([self._source.read_all()]))
        notebook = _parsed(text)
        if notebook is None:
            yield from unescaped(iter((text,)))
            return
        yield from self._written(_cells(notebook))
        self._note(_fields(notebook.get("metadata")))

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the cells that start in a block; the headings among them were found."""
        first = bisect_left(self._starts, char_start)
        last = bisect_left(self._starts, char_start + len(text))
        return [start - char_start for start in self._starts[first:last]]

    def about(self, n_chars: int) -> About:
        """Give title, headings, cells and what the notebook says of itself."""
        about = super().about(n_chars)
        about.segments = sorted(
            [*about.segments, *self._cells],
            key=lambda one: (one.char_span.start, -one.char_span.end),
        )
        return about

    def _written(self, cells: Iterator[Fields]) -> Iterator[str]:
        n_chars = 0
        for number, cell in enumerate(cells, 1):
            text = _clean(_text_of(cell))
            if not text:
                continue
            text += "\n\n"
            if cell.get("cell_type") in ("markdown", "heading"):
                self._fence = ""
                super().breaks(n_chars, text)
            end = n_chars + len(text)
            self._starts.append(n_chars)
            if len(self._cells) < MAX_SEGMENTS:
                self._cells.append(Segment("cell", str(number), Span(n_chars, end)))
            n_chars = end
            yield text

    def _note(self, metadata: Fields) -> None:
        language = _fields(metadata.get("language_info")).get("name")
        language = language or _fields(metadata.get("kernelspec")).get("language")
        if isinstance(language, str) and language:
            self._about.metadata["code_language"] = label(language)
        title = metadata.get("title")
        if isinstance(title, str):
            self._about.title = label(title) or None
        authors = metadata.get("authors")
        names = [_fields(one).get("name") for one in _list(authors)]
        author = ", ".join(name for name in names if isinstance(name, str))
        if author:
            self._about.metadata["author"] = label(author)


def _parsed(text: str) -> Fields | None:
    """Parse a notebook; None for what is none."""
    try:
        notebook = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    cells = _fields(notebook).get("cells") or _fields(notebook).get("worksheets")
    return notebook if isinstance(cells, list) else None


def _cells(notebook: Fields) -> Iterator[Fields]:
    """Give the cells, which lay in worksheets up to the third edition."""
    sheets = [notebook, *map(_fields, _list(notebook.get("worksheets")))]
    for sheet in sheets:
        yield from map(_fields, _list(sheet.get("cells")))


def _text_of(cell: Fields) -> str:
    """Put what a cell says above what it printed."""
    source = _joined(cell.get("source") or cell.get("input"))
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        return f"{'#' * min(level, 6) if isinstance(level, int) else '#'} {source}"
    printed = [_printed(_fields(output)) for output in _list(cell.get("outputs"))]
    parts = [source, *(text[:_MAX_OUTPUT_CHARS] for text in printed)]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def _printed(output: Fields) -> str:
    """Take the text of an output; a picture has none."""
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename')}: {output.get('evalue')}"
    data = _fields(output.get("data"))
    shown = next((data[kind] for kind in _SHOWN if kind in data), output.get("text"))
    return _joined(shown)


def _joined(lines: object) -> str:
    """Join what the format keeps as one string or as a list of lines."""
    if isinstance(lines, list):
        return "".join(line for line in lines if isinstance(line, str))
    return lines if isinstance(lines, str) else ""


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return clean(_ESCAPES.sub("", text)).strip("\n")


def _fields(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
