"""Documents in a test: read by their format, in this process or in the child."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pplx_local.documents import Reader, kind_of
from pplx_local.documents.blocks import cut
from pplx_local.documents.formats import About, format_of
from pplx_local.documents.source import Source
from pplx_local.records import Document

Read = Callable[[str, str | bytes], tuple[str, Document]]
"""Writes a file of a name, and reads it in the child."""


class ReadHere(NamedTuple):
    """What a format gives of a file."""

    text: str
    about: About
    breaks: set[int]
    """Where chunks have to begin."""


def read_here(path: Path) -> ReadHere:
    """Read a file block by block, as the child does."""
    raw = os.fsencode(path)
    text, breaks = "", set[int]()
    with Source(raw) as source:
        reader = format_of(kind_of(raw), source)
        for block in cut(reader.pieces()):
            breaks |= {len(text) + at for at in reader.breaks(len(text), block)}
            text += block
        return ReadHere(text, reader.about(len(text)), breaks)


def read_in_child(reader: Reader, path: Path) -> tuple[str, Document]:
    """Read a file as an index does."""
    reading = reader.read(os.fsencode(path))
    text = "".join(block.text for block in reading)
    return text, reading.document


def places(text: str, about: About) -> list[tuple[str, str, str]]:
    """List the parts of a document: kind, label, text."""
    return [
        (kind, label, text[span.start : span.end])
        for kind, label, span in about.segments
    ]
