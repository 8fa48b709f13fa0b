"""Formats of old, read by the library of the extra `longtail`.

The library can do far more than is asked of it here: it gets the bytes of one file, and
neither keeps, fetches nor looks at pictures. What it says of where things lie is not
used; headings and slides are found in the Markdown that it writes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from types import MappingProxyType

import xberg

from pplx_local.documents.day import read_day
from pplx_local.documents.decode import fix
from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import Markdown
from pplx_local.documents.formats.office.deck import Deck
from pplx_local.documents.formats.office.ooxml import note_names
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.errors import EmptyDocument, NoText, Unreadable

_MIME_TYPES = MappingProxyType(
    {
        "word processing": "application/msword",
        "slides": "application/vnd.ms-powerpoint",
        "mail": "application/vnd.ms-outlook",
    }
)
_SILENCE = "no text could be found in it: it holds pictures alone, or is encrypted"
_DAMAGE = "damaged, encrypted, or no document of its kind"
_SLIDE = re.compile(r"^-----\n", re.MULTILINE)
_TITLE = re.compile(r"\A\s*## (?P<title>[^\n]*)\n")
_NEEDLESS = re.compile(
    r" ?</o=[^>\n]*>|^Message-ID: .*\n", re.IGNORECASE | re.MULTILINE
)
"""Of mail: how a server of Exchange calls people, and the message itself."""


class LongTail(Markdown):
    """One document of a format that few still write."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._deck = Deck()
        self._facts: xberg.Metadata | None = None

    def pieces(self) -> Iterator[str]:
        """Give the text: slides one after the other, or all of it."""
        data = self._source.read_all()
        if not data:
            raise EmptyDocument("empty")
        found = _extracted(data, self._kind)
        self._facts = found.metadata
        text = clean(fix(found.content)).strip()
        if not text.strip("-\n"):
            raise NoText(_SILENCE)
        if self._kind.label == "slides":
            yield from self._slides(text)
        else:
            yield _NEEDLESS.sub("", text) if self._kind.label == "mail" else text

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the slides or the headings of a block; a mail has neither."""
        if self._kind.label == "slides":
            return self._deck.starts(char_start, char_start + len(text))
        return [] if self._kind.label == "mail" else super().breaks(char_start, text)

    def about(self, n_chars: int) -> About:
        """Give title, author, day and places."""
        about = super().about(n_chars)
        heading = about.title or self._deck.title
        if self._facts:
            self._note(about, self._facts)
        about.title = about.title or heading
        if self._kind.label == "slides":
            about.segments = self._deck.segments
            about.metadata["slides"] = str(self._deck.n_slides)
        return about

    def _slides(self, text: str) -> Iterator[str]:
        for slide in _SLIDE.split(text)[1:] or [text]:
            title = _TITLE.match(slide)
            words = slide[title.start("title") :] if title else slide
            yield self._deck.add(title["title"] if title else "", words.strip(), "")

    def _note(self, about: About, facts: xberg.Metadata) -> None:
        note_names(about, facts.title or "", ", ".join(facts.authors or ()))
        if self._kind.label == "mail":
            about.title = label(clean(facts.subject or "")) or None
        about.day = read_day(facts.created_at or "")


def _extracted(data: bytes, kind: Kind) -> xberg.ExtractedDocument:
    """Let the library read a file.

    Raises:
        Unreadable: It cannot.
    """
    config = xberg.ExtractionConfig(
        use_cache=False,
        disable_ocr=True,
        max_archive_depth=0,
        escape_markdown=False,
        output_format="plain" if kind.label == "mail" else "markdown",
    )
    file = xberg.ExtractInput(
        kind="bytes", bytes=data, mime_type=_MIME_TYPES[kind.label]
    )
    try:
        found = asyncio.run(xberg.extract(file, config))
    except (RuntimeError, xberg.XbergError) as error:
        raise Unreadable(f"{_DAMAGE} ({label(str(error))})") from error
    if not found.results:
        raise Unreadable(_DAMAGE)
    return found.results[0]
