"""The words in the parts of a presentation."""

from __future__ import annotations

from typing import NamedTuple

from pplx_local.documents.formats.flow import Flow
from pplx_local.documents.formats.office.graphics import description, graphic_text
from pplx_local.documents.formats.office.ooxml import (
    Relations,
    as_far_as_whole,
    relations,
)
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Characters, Start, outside

_LEFT_OUT = frozenset({"mc:Fallback", "a:rt"})
_TEXTS = frozenset({"a:t", "m:t", "p:text"})
_PARAGRAPHS = frozenset({"a:p", "p:text"})
"""`p:text` is what a comment says."""

_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "dt", "hdr"})
_FOOTER = "ftr"


class Slide(NamedTuple):
    """What a slide says."""

    title: str
    text: str
    """Of the slide, its title too, and what was commented on it."""
    notes: str


class SlideText:
    """Reads the slides of one presentation."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._said: set[str] = set()
        """Footers, which need no repetition."""

    def read(self, part: str) -> Slide:
        """Read a slide, its comments and its notes."""
        known = relations(self._package, part)
        shapes = _Shapes(self._package, self._said)
        for name in (part, *known.of_kind("comments")):
            shapes.read(name, known)
        notes = _Shapes(self._package, self._said)
        for name in known.of_kind("notesSlide"):
            notes.read(name, relations(self._package, name))
        return Slide(shapes.title, shapes.flow.take(), notes.flow.take())


class _Shapes:
    """Turns the events of a part into paragraphs, shape by shape."""

    def __init__(self, package: Package, said: set[str]) -> None:
        self.flow = Flow(Outline("heading"))
        self.title = ""
        self._package = package
        self._said = said
        self._holds = ""
        """What the shape that is being read is a place for: "title", "ftr"."""
        self._is_text = self._is_number = False

    def read(self, part: str, known: Relations) -> None:
        """Read a part."""
        for event in outside(as_far_as_whole(self._package, part), _LEFT_OUT):
            if isinstance(event, Characters):
                if self._is_text and not self._is_number:
                    self.flow.write(" ".join(event.text.split("\n")))
            elif isinstance(event, Start):
                self._start(event)
                self.flow.add(description(event))
                self.flow.add(graphic_text(self._package, known, event))
            else:
                self._end(event.name)

    def _start(self, event: Start) -> None:
        if event.name in _PARAGRAPHS:
            self._open()
        if event.name in _TEXTS:
            self._is_text = True
        match event:
            case Start("a:br", _):
                self.flow.write("\n")
            case Start("p:ph", at):
                self._holds = at.get("type", "")
            case Start("a:fld", at):
                self._is_number = at.get("type", "").startswith(("slidenum", "date"))
            case Start("a:tbl", _):
                self.flow.open_table()
            case Start("a:tr", _):
                self.flow.open_row()
            case Start("a:tc", _):
                self.flow.open_cell()

    def _end(self, name: str) -> None:
        if name in _TEXTS:
            self._is_text = False
        if name in _PARAGRAPHS:
            self._close()
        elif name == "a:fld":
            self._is_number = False
        elif name == "a:tbl":
            self.flow.close_table()
        elif name in ("p:sp", "p:cm"):
            self._holds = ""
            self.flow.separate("\n\n")

    def _open(self) -> None:
        self.flow.open()
        if self.flow.paragraph:
            self.flow.paragraph.is_line = True

    def _close(self) -> None:
        paragraph = self.flow.paragraph
        words = "".join(paragraph.parts) if paragraph else ""
        if paragraph and self._is_left_out(words):
            paragraph.parts.clear()
        elif self._holds in _TITLES:
            self.title = f"{self.title} {words}".strip()
        self.flow.close()

    def _is_left_out(self, words: str) -> bool:
        if self._holds != _FOOTER:
            return self._holds in _FURNITURE
        is_known = words in self._said
        self._said.add(words)
        return is_known
