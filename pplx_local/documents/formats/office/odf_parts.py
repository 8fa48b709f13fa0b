"""The parts of an OpenDocument file, whether it is packed or one flat XML."""

from __future__ import annotations

import io
from collections.abc import Iterator

from pplx_local.documents.formats.office.ooxml import silence
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Event, Start, events
from pplx_local.errors import DocumentError, EmptyDocument, Unreadable

_PIECE_BYTES = 1 << 16
_MANIFEST = "META-INF/manifest.xml"


class OdfParts:
    """Gives each part as XML; of a flat file, all of it stands for every part.

    Raises:
        EmptyDocument: There is not a byte in the file.
        Unreadable: It is no such file, damaged, encrypted or made to do harm.
    """

    def __init__(self, data: bytes) -> None:
        self._flat = data if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<" else b""
        self._package = None if self._flat else Package(io.BytesIO(data))
        if any(_is_encrypted(event) for event in self.optional(_MANIFEST)):
            raise Unreadable("encrypted: it needs a password")

    def read(self, part: str) -> Iterator[Event]:
        """Read a part.

        Raises:
            Unreadable: It is missing or damaged.
        """
        return events(self._package.pieces(part) if self._package else self._pieces())

    def optional(self, part: str) -> Iterator[Event]:
        """Read a part that need not be there."""
        is_missing = self._package is not None and part not in self._package
        return iter(()) if is_missing else self.read(part)

    def silence(self) -> DocumentError:
        """Say why there is no text in it."""
        if self._package:
            return silence(self._package)
        return EmptyDocument("nothing but white space")

    def _pieces(self) -> Iterator[bytes]:
        for start in range(0, len(self._flat), _PIECE_BYTES):
            yield self._flat[start : start + _PIECE_BYTES]


def _is_encrypted(event: Event) -> bool:
    return isinstance(event, Start) and event.name == "manifest:encryption-data"
