"""PPTX: the words of each slide and of its notes, with the slides as places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pplx_local.documents.formats.format import About
from pplx_local.documents.formats.office.deck import Deck
from pplx_local.documents.formats.office.ooxml import (
    main_part,
    note_core_facts,
    note_damage,
    relations,
    silence,
)
from pplx_local.documents.formats.office.slide_text import SlideText
from pplx_local.documents.kinds import Kind
from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.documents.xml_events import Start, events
from pplx_local.errors import Unreadable


class Slides:
    """A presentation, slide by slide, hidden ones too."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._deck = Deck()
        self._about = About()

    def pieces(self) -> Iterator[str]:
        """Give the text of one slide after the other, and each one's notes after it."""
        package = Package(self._source)
        with contextlib.suppress(Unreadable):
            note_core_facts(package, self._about)
        words = SlideText(package)
        for part in _slides(package):
            yield self._deck.add(*words.read(part))
        note_damage(package, self._about)
        if not self._deck.n_chars:
            raise silence(package)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the slides that start in a block."""
        return self._deck.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give what the presentation states, and its slides."""
        self._about.title = self._about.title or self._deck.title
        self._about.metadata["slides"] = str(self._deck.n_slides)
        self._about.segments = self._deck.segments
        return self._about


def _slides(package: Package) -> list[str]:
    """Name the slides' parts in the order in which they are shown."""
    part = main_part(package, "ppt/presentation.xml")
    known = relations(package, part)
    ids = [
        event.attributes.get("r:id", "")
        for event in events(package.pieces(part))
        if isinstance(event, Start) and event.name == "p:sldId"
    ]
    return list(dict.fromkeys(known[id_].target for id_ in ids if id_ in known))
