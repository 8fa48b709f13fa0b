"""Pages of a PDF as pictures: for text recognition, and for a person to look at."""

from __future__ import annotations

import math

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from pplx_local.documents.formats.pdf.opening import opened
from pplx_local.errors import Unreadable
from pplx_local.records import Picture

_MOST_DOTS = 2_000_000
"""A page of A4 on a large screen; what is smaller is drawn that large too."""


def drawn(data: bytes, number: int) -> Picture:
    """Draw a page as a reader of PDFs shows it.

    Args:
        data: Of the file.
        number: Of the page, from 1.

    Raises:
        DocumentError: It is no PDF that can be opened, or has no such page.
    """
    document = opened(data)
    if not 1 <= number <= len(document):
        raise Unreadable(f"there is no page {number:,}")
    try:
        page = document[number - 1]
        dots = grey(page, scale_of(page, _MOST_DOTS), with_notes=True)
    except pdfium.PdfiumError as error:
        raise Unreadable("damaged: the page cannot be drawn") from error
    height, width = dots.shape
    return Picture(width, height, dots.tobytes())


def scale_of(page: pdfium.PdfPage, most_dots: int) -> float:
    """Choose the dots to a point that make a picture of so many dots."""
    width, height = page.get_size()
    return math.sqrt(most_dots / max(width * height, 1.0))


def grey(
    page: pdfium.PdfPage, scale: float, *, with_notes: bool = False
) -> NDArray[np.uint8]:
    """Draw a page in grey.

    Args:
        page: Open.
        scale: Dots to a point.
        with_notes: Whether what was noted on it is drawn too.

    Returns:
        The dots: (height, width).
    """
    bitmap = page.render(scale=scale, grayscale=True, draw_annots=with_notes)
    try:
        dots: NDArray[np.uint8] = bitmap.to_numpy().copy()
    finally:
        bitmap.close()
    return dots.reshape(dots.shape[:2])
