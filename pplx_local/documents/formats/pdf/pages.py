"""The pages of a PDF, one after the other, each as its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pypdfium2 as pdfium

from pplx_local.documents.formats.pdf.lines import Letters, Line
from pplx_local.documents.formats.pdf.notes import notes_of
from pplx_local.documents.formats.pdf.order import in_reading_order
from pplx_local.errors import Unreadable

_MAX_DAMAGED_RUN = 100
"""So many pages in a row that cannot be opened are pages that are not there."""


class Page(NamedTuple):
    """What is on a page."""

    lines: list[Line]
    """In reading order."""
    notes: list[str]
    """Comments, and what was filled into a form."""
    has_text: bool
    """Whether there is any, running headers and page numbers counted."""
    is_picture: bool = False
    """Whether text recognition looked at it."""


def pages_of(document: pdfium.PdfDocument, picture_s: float) -> Iterator[Page]:
    """Read each page; one that cannot be opened has nothing on it.

    Args:
        document: Open.
        picture_s: What recognising the text of a page that has none may take; 0 for
            leaving it.

    Raises:
        Unreadable: None of the pages can be opened.
    """
    n_read = damaged_run = 0
    for index in range(len(document)):
        if damaged_run >= _MAX_DAMAGED_RUN:
            break
        try:
            page = document[index]
            found = _read(page)
            if picture_s and not found.has_text:
                found = _recognized(page, picture_s)
        except pdfium.PdfiumError:
            damaged_run += 1
            yield Page([], [], has_text=False)
            continue
        n_read += 1
        damaged_run = 0
        page.close()
        yield found
    if damaged_run and not n_read:
        raise Unreadable("damaged: none of its pages can be opened")


def _read(page: pdfium.PdfPage) -> Page:
    letters = Letters(page)
    try:
        lines = in_reading_order(letters.lines(), letters.split_lines())
    finally:
        letters.close()
    notes = list(notes_of(page))
    return Page(lines, notes, has_text=bool(lines or notes))


def _recognized(page: pdfium.PdfPage, seconds: float) -> Page:
    """Look at a page without a text layer; what that needs is loaded here alone."""
    from pplx_local.documents.formats.pdf.recognition import recognized

    lines = recognized(page, seconds)
    return Page(lines, [], has_text=bool(lines), is_picture=True)
