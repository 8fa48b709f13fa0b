"""The words in the parts of an OpenDocument file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pplx_local.documents.formats.flow import Flow
from pplx_local.documents.formats.office.deck import Deck
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.xml_events import (
    Characters,
    End,
    Event,
    Start,
    inside,
    outside,
)

_BODY = frozenset({"office:body"})
_LEFT_OUT = frozenset(
    [
        "text:tracked-changes",
        "text:note-citation",
        "text:ruby-text",
        "text:hidden-text",
        "office:binary-data",
        "office:forms",
        "draw:object",
        "dc:creator",
        "dc:date",
        "meta:date-string",
        "meta:creator-initials",
    ]
)
"""What was deleted, marks of notes, readings of characters, pictures in letters, and who
commented when."""

_PARAGRAPHS = frozenset({"text:p", "text:h", "svg:title", "svg:desc"})
"""What stands for a picture is read like a note."""

_SHAPES = frozenset({"draw:frame", "draw:custom-shape", "draw:text-box"})
_FURNITURE = frozenset({"page-number", "date-time", "header", "footer"})
_BLANKS = re.compile("[ \t\r\n]+")
_LETTER = re.compile(r"[^\W\d_]{2}")
_LEVELS = frozenset("123456789")
_SMALL = re.compile("[0-9]{1,4}")
_MAX_SPACES = 100


def document_text(
    stream: Iterable[Event], paragraphs: Paragraphs, deck: Deck
) -> Iterator[str]:
    """Read a content part.

    Args:
        stream: The part.
        paragraphs: Gets the text of a document.
        deck: Gets the slides of a presentation.
    """
    page: _Page | None = None
    for event in outside(inside(stream, _BODY), _LEFT_OUT):
        if isinstance(event, Start) and event.name == "draw:page":
            page = _Page()
        elif isinstance(event, End) and event.name == "draw:page" and page:
            yield deck.add(page.title, *page.finish())
            page = None
        else:
            (page or paragraphs).handle(event)
            if page is None and (text := paragraphs.flow.take()):
                yield text


def running_text(stream: Iterable[Event], names: frozenset[str]) -> str:
    """Read headers or footers, each line once however many kinds of pages there are."""
    paragraphs = Paragraphs(Flow(Outline("heading")))
    for event in outside(inside(stream, names), _LEFT_OUT):
        paragraphs.handle(event)
    lines = dict.fromkeys(paragraphs.flow.take().split("\n"))
    return "\n".join(line for line in lines if _LETTER.search(line))


class Paragraphs:
    """Turns events into paragraphs."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.first_heading = ""
        self._n_lists = 0

    def handle(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Characters):
            self.flow.write(_BLANKS.sub(" ", event.text))
        elif isinstance(event, End):
            self.end(event.name)
        elif event.name in _PARAGRAPHS:
            self._open(event)
        else:
            self._start(event)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name in _PARAGRAPHS:
            self.close()
        elif name == "text:list":
            self._n_lists -= 1
            self.flow.separate("\n" if self._n_lists else "\n\n")
        elif name == "table:table":
            self.flow.close_table()
        elif name in _SHAPES:
            self.flow.separate("\n\n")

    def close(self) -> None:
        """Take the end of a paragraph."""
        paragraph = self.flow.paragraph
        if paragraph and paragraph.level == 1 and not self.first_heading:
            self.first_heading = "".join(paragraph.parts).strip()
        self.flow.close()

    def _open(self, event: Start) -> None:
        self.flow.open()
        paragraph = self.flow.paragraph
        if paragraph is None:
            return
        paragraph.is_line = self._n_lists > 0
        if event.name == "text:h":
            level = event.attributes.get("text:outline-level", "1")
            paragraph.level = int(level) if level in _LEVELS else 1

    def _start(self, event: Start) -> None:
        match event:
            case Start("text:s", at):
                self.flow.write(" " * _count(at.get("text:c", "1")))
            case Start("text:tab", _):
                self.flow.write("\t")
            case Start("text:line-break", _):
                self.flow.write("\n")
            case Start("text:soft-page-break", _):
                self.flow.begin_page()
            case Start("text:list", _):
                self._n_lists += 1
            case Start("table:table", _):
                self.flow.open_table()
            case Start("table:table-row", _):
                self.flow.open_row()
            case Start("table:table-cell", _):
                self.flow.open_cell()


class _Page(Paragraphs):
    """A slide: its title, its text and its notes apart."""

    def __init__(self) -> None:
        super().__init__(Flow(Outline("heading")))
        self.title = ""
        self._shown: str | None = None
        """What was on the slide, once its notes are being read."""
        self._holds = ""
        """What the frame that is being read is a place for: "title", "footer"."""

    def handle(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Start) and event.name == "draw:frame":
            self._holds = event.attributes.get("presentation:class", "")
        elif isinstance(event, Start) and event.name == "presentation:notes":
            self._shown = self.flow.take()
            self.flow = Flow(Outline("heading"))
        else:
            super().handle(event)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        super().end(name)
        if name == "draw:frame":
            self._holds = ""

    def close(self) -> None:
        """Take the end of a paragraph, unless it is a part of the page's furniture."""
        paragraph = self.flow.paragraph
        if paragraph and self._holds in _FURNITURE:
            paragraph.parts.clear()
        elif paragraph and self._holds == "title":
            self.title = f"{self.title} {''.join(paragraph.parts)}".strip()
        super().close()

    def finish(self) -> tuple[str, str]:
        """Give what is shown, and the notes."""
        last = self.flow.take()
        return (last, "") if self._shown is None else (self._shown, last)


def _count(number: str) -> int:
    return min(int(number), _MAX_SPACES) if _SMALL.fullmatch(number) else 1
