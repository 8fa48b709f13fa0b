"""Text as pdfium gives it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from pypdfium2 import raw

_MAX_BYTES = 1 << 17
_NOT_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\ufeff\ufffe\uffff\ud800-\udfff]"
)
_LIGATURES = re.compile("[\ufb00-\ufb06]")


def fixed(written: str) -> str:
    """Mend what pdfium gives of a line: controls, ligatures, accents, blanks."""
    text = _NOT_TEXT.sub("", written)
    if _LIGATURES.search(text):
        text = _LIGATURES.sub(
            lambda found: unicodedata.normalize("NFKC", found[0]), text
        )
    return " ".join(unicodedata.normalize("NFC", text).split())


def wide_string(read: Callable[..., int]) -> str:
    """Ask pdfium for a string: first for its length, then for its characters."""
    n_bytes = read(None, 0)
    if not 2 < n_bytes <= _MAX_BYTES:
        return ""
    buffer = (raw.FPDF_WCHAR * (n_bytes // 2 + 1))()
    read(buffer, n_bytes)
    return fixed(bytes(buffer)[:n_bytes].decode("utf-16-le", "replace"))
