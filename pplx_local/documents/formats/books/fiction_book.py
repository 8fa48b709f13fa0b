"""FB2: a book that is one XML, with its sections as chapters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.flow import Flow, clean
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.documents.xml_events import (
    Characters,
    End,
    Event,
    Start,
    events,
    first_texts,
    inside,
    outside,
)
from pplx_local.errors import EmptyDocument

_PIECE_BYTES = 1 << 16
_TITLE_INFO = frozenset({"fb:title-info"})
_FACTS = frozenset(
    {"fb:book-title", "fb:first-name", "fb:last-name", "fb:lang", "fb:date"}
)
_BODY = frozenset({"fb:body"})
_PICTURES = frozenset({"fb:binary"})
_LINES = frozenset({"fb:v", "fb:text-author"})
_PARAGRAPHS = _LINES | {"fb:p", "fb:subtitle", "fb:th", "fb:td"}


class FictionBook:
    """A book of FictionBook 2."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("chapter")
        self._flow = Flow(self._outline)
        self._about = About()
        self._depth = 0
        self._title: list[str] | None = None
        """The lines of the title that is being read."""

    def pieces(self) -> Iterator[str]:
        """Give the text section by section."""
        data = self._source.read_all()
        if not data:
            raise EmptyDocument("empty")
        self._note_facts(data)
        for event in outside(inside(_events(data), _BODY), _PICTURES):
            self._handle(event)
            if text := self._flow.take():
                yield text

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the chapters that start in a block."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give what the book states, and its chapters."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _handle(self, event: Event) -> None:
        match event:
            case Characters(text):
                self._flow.write(" ".join(text.split("\n")))
            case Start("fb:section", _):
                self._depth += 1
            case End("fb:section"):
                self._depth -= 1
            case Start("fb:title", _):
                self._title = []
            case End("fb:title"):
                lines, self._title = self._title or [], None
                self._flow.add("\n".join(lines), level=max(self._depth, 1))
            case Start("fb:tr", _):
                self._flow.open_row()
            case Start(name, _) if name in _PARAGRAPHS:
                self._open(name)
            case End(name) if name in _PARAGRAPHS:
                self._close()
            case Start("fb:table", _):
                self._flow.open_table()
            case End("fb:table"):
                self._flow.close_table()
            case End("fb:stanza" | "fb:poem"):
                self._flow.separate("\n\n")

    def _open(self, name: str) -> None:
        if name in ("fb:td", "fb:th"):
            self._flow.open_cell()
        self._flow.open()
        if self._flow.paragraph:
            self._flow.paragraph.is_line = name in _LINES

    def _close(self) -> None:
        paragraph = self._flow.paragraph
        if paragraph and self._title is not None:
            self._title.append("".join(paragraph.parts).strip())
            paragraph.parts.clear()
        self._flow.close()

    def _note_facts(self, data: bytes) -> None:
        facts = first_texts(
            inside(takewhile(_is_head, _events(data)), _TITLE_INFO), _FACTS
        )
        facts = {name: clean(text) for name, text in facts.items()}
        self._about.title = label(facts.get("fb:book-title", "")) or None
        author = f"{facts.get('fb:first-name', '')} {facts.get('fb:last-name', '')}"
        if author.strip():
            self._about.metadata["author"] = label(author)
        self._about.day = read_day(facts.get("fb:date", ""))
        self._about.language = language_code(facts.get("fb:lang", ""))


def _events(data: bytes) -> Iterator[Event]:
    starts = range(0, len(data), _PIECE_BYTES)
    return events(data[start : start + _PIECE_BYTES] for start in starts)


def _is_head(event: Event) -> bool:
    return not (isinstance(event, Start) and event.name in _BODY)
