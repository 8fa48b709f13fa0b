"""Plain text, the simplest format and the model for the others."""

from __future__ import annotations

from collections.abc import Iterator

from pplx_local.documents.decode import decode_stream
from pplx_local.documents.formats.format import About
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source


class Text:
    """Text as it is: a format that knows nothing of places inside it."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._kind = kind
        self._about = About()

    def pieces(self) -> Iterator[str]:
        """Decode the file."""
        return decode_stream(iter(self._source.read, b""))

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Know no better places than the chunker finds itself."""
        return []

    def about(self, n_chars: int) -> About:
        """Say nothing."""
        return self._about
