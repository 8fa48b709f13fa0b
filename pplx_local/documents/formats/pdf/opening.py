"""Opening a PDF, and why one cannot be opened."""

from __future__ import annotations

import pypdfium2 as pdfium

from pplx_local.errors import Unreadable, Unsupported

_PASSWORD = 4
_SECURITY = 5
_HEADER_BYTES = 1024
"""pdfium passes over so much junk in front by itself."""


def opened(data: bytes) -> pdfium.PdfDocument:
    """Open a PDF; one that only its owner's password protects opens without.

    Raises:
        Unreadable: It is damaged or needs a password.
        Unsupported: It is no PDF.
    """
    header = data.find(b"%PDF-")
    if header < 0:
        raise Unsupported("not a PDF, in spite of its name")
    if header >= _HEADER_BYTES:
        data = data[header:]
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise _refusal(error, data) from error
    _open_form(document)
    return document


def _open_form(document: pdfium.PdfDocument) -> None:
    """Let the fields of a form be read; pdfium comes without a means to run scripts."""
    try:
        document.init_forms()
    except pdfium.PdfiumError:
        return


def _refusal(error: pdfium.PdfiumError, data: bytes) -> Unreadable:
    # pdfium can leave the error of an earlier file standing, so look at this one too.
    if b"/Encrypt" not in data:
        return Unreadable("damaged: its pages cannot be found")
    if error.err_code == _PASSWORD:
        return Unreadable("encrypted: it needs a password")
    if error.err_code == _SECURITY:
        return Unreadable("encrypted in a way that is not supported")
    return Unreadable("damaged: its pages cannot be found")
