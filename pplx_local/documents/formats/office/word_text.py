"""The words in the parts of a Word document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType

from pplx_local.documents.formats.flow import Flow
from pplx_local.documents.formats.format import label
from pplx_local.documents.formats.office.graphics import description, graphic_text
from pplx_local.documents.formats.office.ooxml import (
    Relations,
    as_far_as_whole,
    relations,
)
from pplx_local.documents.formats.office.word_styles import (
    Style,
    outline_level,
    read_styles,
)
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.web.html_page import decode_page, read_markup
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import (
    Characters,
    End,
    Event,
    Start,
    events,
    outside,
)

_LEFT_OUT = frozenset(
    [
        "mc:Fallback",
        "w:del",
        "w:moveFrom",
        "w:rt",
        "w:tabs",
        "w:pPrChange",
        "w:rPrChange",
    ]
)
"""A box as older programs draw it, what was deleted or moved away, how characters are
read, and what formatting says."""

_PARAGRAPHS = frozenset({"w:p", "a:p"})
_TEXTS = frozenset({"w:t", "a:t", "m:t"})
_SIGNS = MappingProxyType(
    {
        "w:tab": "\t",
        "w:ptab": "\t",
        "w:br": "\n",
        "w:cr": "\n",
        "a:br": "\n",
        "w:noBreakHyphen": "-",
    }
)
_NOTES = MappingProxyType(
    {
        "w:footnoteReference": "footnotes",
        "w:endnoteReference": "endnotes",
        "w:commentReference": "comments",
    }
)
_NOTE = frozenset({"w:footnote", "w:endnote", "w:comment"})
_LETTER = re.compile(r"[^\W\d_]{2}")
_PAGE = re.compile(r"\.x?html?$", re.IGNORECASE)
_PLAIN = Style()


class WordText:
    """Reads the parts of one document into one flow of paragraphs."""

    def __init__(self, package: Package, known: Relations, outline: Outline) -> None:
        self.flow = Flow(outline)
        self.title: str | None = None
        self._package = package
        self._known = known
        styles = next(known.of_kind("styles"), "")
        self._styles = read_styles(package, styles) if styles else {}
        self._notes = {kind: self._read_notes(kind) for kind in _NOTES.values()}

    def pieces(self, part: str) -> Iterator[str]:
        """Give the text of the document's own part."""
        reader = _Part(self._package, self._known, self._styles, self.flow)
        for event in reader.read(events(self._package.pieces(part))):
            if isinstance(event, Start) and event.name in _NOTES:
                notes = self._notes[_NOTES[event.name]]
                self.flow.add_aside(notes.pop(event.attributes.get("w:id", ""), ""))
            if text := self.flow.take():
                yield text
        self.title = reader.title or reader.first_heading

    def running(self, kind: str) -> Iterator[str]:
        """Give the texts of headers or footers, each once however many pages it is on."""
        said = set[str]()
        for part in self._known.of_kind(kind):
            text = self._plain_text(part)
            if _LETTER.search(text) and text not in said:
                said.add(text)
                self.flow.add(text)
                yield self.flow.take()

    def _plain_text(self, part: str) -> str:
        flow = Flow(Outline("heading"))
        reader = _Part(self._package, relations(self._package, part), {}, flow)
        stream = as_far_as_whole(self._package, part)
        return "".join(flow.take() for _ in reader.read(stream))

    def _read_notes(self, kind: str) -> dict[str, str]:
        """Read the notes of a kind by their ids."""
        notes: dict[str, str] = {}
        for part in self._known.of_kind(kind):
            flow = Flow(Outline("heading"))
            id_ = ""
            reader = _Part(self._package, relations(self._package, part), {}, flow)
            for event in reader.read(as_far_as_whole(self._package, part)):
                if isinstance(event, Start) and event.name in _NOTE:
                    id_ = event.attributes.get("w:id", "")
                elif isinstance(event, End) and event.name in _NOTE:
                    notes[id_] = flow.take().strip()
        return notes


class _Part:
    """Turns the events of one part into paragraphs."""

    def __init__(
        self, package: Package, known: Relations, styles: dict[str, Style], flow: Flow
    ) -> None:
        self.title: str | None = None
        self.first_heading: str | None = None
        self._package = package
        self._known = known
        self._styles = styles
        self._flow = flow
        self._style = _PLAIN
        self._is_text = False
        self._fields: list[bool] = []
        """For each field that is open, whether its instruction is being read."""

    def read(self, stream: Iterable[Event]) -> Iterator[Event]:
        """Read a part, and pass on each event after it was dealt with."""
        for event in outside(stream, _LEFT_OUT):
            if isinstance(event, Characters):
                if self._is_text and True not in self._fields:
                    self._flow.write(event.text)
            elif isinstance(event, Start):
                self._start(event)
            else:
                self._end(event.name)
            yield event

    def _start(self, event: Start) -> None:
        name = event.name
        if name in _TEXTS:
            self._is_text = True
        elif name in _PARAGRAPHS:
            self._style = _PLAIN
            self._flow.open()
        elif name in _SIGNS:
            self._flow.write(_SIGNS[name])
        else:
            self._start_rare(event)

    def _start_rare(self, event: Start) -> None:
        match event:
            case Start("w:pStyle" | "w:outlineLvl" | "w:numPr", _):
                self._format(event)
            case Start("w:fldChar", at):
                self._turn_field(at.get("w:fldCharType", ""))
            case Start("w:lastRenderedPageBreak", _):
                self._flow.begin_page()
            case Start("w:tbl", _):
                self._flow.open_table()
            case Start("w:tr", _):
                self._flow.open_row()
            case Start("w:tc", _):
                self._flow.open_cell()
            case Start("docPr", _):
                self._flow.add_aside(description(event))
            case Start("w:altChunk", at):
                self._flow.add(self._page(at.get("r:id", "")))
            case Start("c:chart" | "dgm:relIds", _):
                self._flow.add_aside(graphic_text(self._package, self._known, event))

    def _page(self, id_: str) -> str:
        """Read a page of HTML that Word has not made its own yet."""
        chunk = self._known.get(id_)
        if chunk is None or not _PAGE.search(chunk.target):
            return ""
        markup = decode_page(self._package.read(chunk.target))
        return read_markup(markup, Outline("heading"))

    def _end(self, name: str) -> None:
        if name in _TEXTS:
            self._is_text = False
        elif name in _PARAGRAPHS:
            self._note_title()
            self._fields.clear()
            self._flow.close()
        elif name == "w:tbl":
            self._flow.close_table()

    def _format(self, event: Start) -> None:
        paragraph = self._flow.paragraph
        if paragraph is None:
            return
        if event.name == "w:pStyle":
            id_ = event.attributes.get("w:val", "")
            self._style = self._styles.get(id_, _PLAIN)
            paragraph.level, paragraph.is_line = self._style.level, self._style.is_line
        elif event.name == "w:outlineLvl":
            paragraph.level = outline_level(event.attributes)
        else:
            paragraph.is_line = True

    def _turn_field(self, turn: str) -> None:
        """Keep what a field shows, not how it is made."""
        if turn == "begin":
            self._fields.append(True)
        elif self._fields:
            self._fields.pop()
            if turn == "separate":
                self._fields.append(False)

    def _note_title(self) -> None:
        paragraph = self._flow.paragraph
        if paragraph is None or not (self._style.is_title or paragraph.level == 1):
            return
        words = label("".join(paragraph.parts)) or None
        if self._style.is_title:
            self.title = self.title or words
        else:
            self.first_heading = self.first_heading or words
