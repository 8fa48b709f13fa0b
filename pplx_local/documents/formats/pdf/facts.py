"""What a PDF says of itself: title, author, day, language, attached files."""

from __future__ import annotations

import re
from datetime import date
from itertools import islice

import pypdfium2 as pdfium
from pypdfium2 import raw

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.formats.pdf.strings import fixed, wide_string
from pplx_local.documents.formats.pdf.xmp import Xmp

_MAX_ATTACHMENTS = 100
_NO_TITLE = re.compile(
    r"untitled|microsoft (word|powerpoint|excel) - |slide 1$|.*\.\w{2,5}$|\W*$",
    re.IGNORECASE,
)
_NO_AUTHOR = re.compile(r"(unknown|anonymous|author|user|owner|admin)?\W*$", re.I)


def note_facts(about: About, document: pdfium.PdfDocument, data: bytes) -> None:
    """Note what a document states, in its Info dictionary or else in its XMP."""
    xmp = Xmp.in_file(data)
    about.title = _told(_NO_TITLE, _stated(document, "Title"), xmp.title)
    if author := _told(_NO_AUTHOR, _stated(document, "Author"), xmp.author):
        about.metadata["author"] = author
    about.day = _day(document, xmp)
    about.language = language_code(_language(document) or xmp.language)
    if names := _attachments(document):
        about.metadata["attachments"] = ", ".join(names)


def _told(nothing: re.Pattern[str], *stated: str) -> str | None:
    """Take the first that a person wrote: programs make some up."""
    return next((label(one) for one in stated if not nothing.match(one)), None)


def _day(document: pdfium.PdfDocument, xmp: Xmp) -> date | None:
    """Take the day on which the file says it was made, or else changed."""
    made, changed = (_stated(document, key) for key in ("CreationDate", "ModDate"))
    days = map(read_day, (made, xmp.made, changed, xmp.changed))
    return next(filter(None, days), None)


def _stated(document: pdfium.PdfDocument, key: str) -> str:
    try:
        return fixed(document.get_metadata_value(key))
    except pdfium.PdfiumError:
        return ""


def _language(document: pdfium.PdfDocument) -> str:
    return wide_string(lambda *space: raw.FPDFCatalog_GetLanguage(document, *space))


def _attachments(document: pdfium.PdfDocument) -> list[str]:
    """Name the files inside; they stay unread."""
    names = []
    for index in islice(range(document.count_attachments()), _MAX_ATTACHMENTS):
        try:
            names.append(label(fixed(document.get_attachment(index).get_name())))
        except pdfium.PdfiumError:
            continue
    return list(filter(None, names))
