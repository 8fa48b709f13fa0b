"""Pages, Keynote and Numbers: their preview, where they hold one that is text."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from pplx_local.documents.formats.format import About, Format
from pplx_local.documents.formats.pdf import Pdf
from pplx_local.documents.kinds import Kind
from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.errors import Unsupported

_PREVIEW = "QuickLook/Preview.pdf"
_EXPORTS = MappingProxyType(
    {
        "word processing": "from Pages as Word or PDF",
        "slides": "from Keynote as PowerPoint or PDF",
        "spreadsheet": "from Numbers as Excel or PDF",
    }
)


class Apple:
    """A document of Apple's own format, through the PDF that its program put in."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._kind = kind
        self._pdf: Format | None = None

    def pieces(self) -> Iterator[str]:
        """Give the text of the preview, page by page."""
        package = Package(self._source)
        if _PREVIEW not in package:
            export = _EXPORTS.get(self._kind.label, "as PDF")
            raise Unsupported(
                f"Apple's own format, without a preview: export it {export}"
            )
        self._pdf = Pdf(_Preview(package.read(_PREVIEW)), self._kind)
        yield from self._pdf.pieces()

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the pages that start in a block."""
        return self._pdf.breaks(char_start, text) if self._pdf else []

    def about(self, n_chars: int) -> About:
        """Give what the preview states and its pages, and say that it is one."""
        about = self._pdf.about(n_chars) if self._pdf else About()
        about.metadata["read_from"] = _PREVIEW
        return about


class _Preview:
    """The bytes of a part, as the reader of PDF takes them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_all(self) -> bytes:
        return self._data
