"""XMP: the newer place of what a PDF says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pplx_local.documents.xml_events import Characters, End, Start, events
from pplx_local.errors import DocumentError

_MAX_BYTES = 1 << 18
_MAX_PACKETS = 50
_START, _END = b"<x:xmpmeta", b"</x:xmpmeta>"
_OF_A_PDF = re.compile(rb"application/pdf|ns\.adobe\.com/pdf/|pdfaid")
_OF_A_PICTURE = re.compile(rb"image/|ns\.adobe\.com/(?:tiff|exif|photoshop)/")
_NAMES = {"title", "creator", "language", "CreateDate", "ModifyDate"}


class Xmp(NamedTuple):
    """What it states; each is empty where it does not."""

    title: str = ""
    author: str = ""
    language: str = ""
    made: str = ""
    changed: str = ""

    @classmethod
    def in_file(cls, data: bytes) -> Xmp:
        """Read the last packet about the document: pictures may bring their own.

        A compressed packet is not found; the Info dictionary says the same then.
        """
        for packet in _packets(data):
            if _OF_A_PDF.search(packet) or not _OF_A_PICTURE.search(packet):
                return _read(packet)
        return cls()


def _packets(data: bytes) -> Iterator[bytes]:
    """Give the packets of a file, the last one first."""
    end = len(data)
    for _ in range(_MAX_PACKETS):
        end = data.rfind(_END, 0, end)
        if end < 0:
            return
        start = data.rfind(_START, max(end - _MAX_BYTES, 0), end)
        if start >= 0:
            yield data[start : end + len(_END)]


def _read(packet: bytes) -> Xmp:
    told: dict[str, list[str]] = {}
    field: str | None = None
    try:
        for event in events([packet]):
            match event:
                case Start(name, attributes):
                    _note_attributes(told, attributes)
                    field = _bare(name) if _bare(name) in _NAMES else field
                case Characters(text) if field and text.strip():
                    told.setdefault(field, []).append(text.strip())
                case End(name) if _bare(name) == field:
                    field = None
    except DocumentError:
        return Xmp()
    authors = ", ".join(told.get("creator", []))
    first = {name: values[0] for name, values in told.items()}
    return Xmp(
        first.get("title", ""),
        authors,
        first.get("language", ""),
        first.get("CreateDate", ""),
        first.get("ModifyDate", ""),
    )


def _note_attributes(told: dict[str, list[str]], attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        if _bare(name) in _NAMES:
            told.setdefault(_bare(name), []).append(value)


def _bare(name: str) -> str:
    return name.rpartition(":")[2]
