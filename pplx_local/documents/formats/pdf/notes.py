"""What lies on a page besides its text: comments, and what was filled into forms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from pplx_local.documents.formats.pdf.strings import wide_string

_MAX_NOTES = 1_000
_NO_COMMENT = frozenset(
    {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_WIDGET}
)
_FILLED_IN = frozenset(
    {
        raw.FPDF_FORMFIELD_TEXTFIELD,
        raw.FPDF_FORMFIELD_COMBOBOX,
        raw.FPDF_FORMFIELD_LISTBOX,
    }
)


def notes_of(page: pdfium.PdfPage) -> Iterator[str]:
    """Give the comments on a page and the values in its form, each on one line."""
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_NOTES)):
        with _annotation(page, index) as annotation:
            text = annotation and _text(page, annotation)
        if text:
            yield text


@contextmanager
def _annotation(page: pdfium.PdfPage, index: int) -> Iterator[Any]:
    annotation = raw.FPDFPage_GetAnnot(page, index)
    try:
        yield annotation
    finally:
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)


def _text(page: pdfium.PdfPage, annotation: Any) -> str:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind == raw.FPDF_ANNOT_WIDGET:
        return _filled_in(page, annotation)
    if kind in _NO_COMMENT:
        return ""
    return wide_string(
        lambda *space: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", *space)
    )


def _filled_in(page: pdfium.PdfPage, annotation: Any) -> str:
    """Give a field's value behind what a reader is told that it is for."""
    form = page.formenv
    if (
        form is None
        or raw.FPDFAnnot_GetFormFieldType(form, annotation) not in _FILLED_IN
    ):
        return ""
    value = wide_string(
        lambda *space: raw.FPDFAnnot_GetFormFieldValue(form, annotation, *space)
    )
    name = wide_string(
        lambda *space: raw.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *space)
    )
    return f"{name}: {value}" if name and value else value
