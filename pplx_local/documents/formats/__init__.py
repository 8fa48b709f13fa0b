"""The formats that are read: one module for each family, loaded when a file needs it."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import cast

from pplx_local.documents.formats.format import About, Format
from pplx_local.documents.kinds import Family, Kind
from pplx_local.documents.source import Source

_READERS: MappingProxyType[Family, str] = MappingProxyType(
    {
        "text": "text:Text",
        "markdown": "markdown:Markdown",
        "html": "web.html_page:HtmlPage",
        "xml": "xml.document:XmlDocument",
        "code": "source_code:SourceCode",
        "pdf": "pdf:Pdf",
        "spreadsheet": "sheets.spreadsheet:Spreadsheet",
        "delimited": "sheets.delimited:Delimited",
        "json": "json_text:Json",
        "notebook": "notebook:Notebook",
        "cards": "cards:Cards",
        "longtail": "long_tail:LongTail",
        "word": "office.word:Word",
        "slides": "office.slides:Slides",
        "rtf": "rtf.rtf:Rtf",
        "mail": "mail.mail:Mail",
        "mailbox": "mail.mail:Mailbox",
        "markup": "headings:Headings",
        "latex": "latex:Latex",
        "bibtex": "latex:Bibtex",
        "subtitles": "subtitles:Subtitles",
        "opendocument": "office.opendocument:OpenDocument",
        "book": "books.book:Book",
        "fictionbook": "books.fiction_book:FictionBook",
        "apple": "office.apple:Apple",
    }
)
"""Where the reader of each family is: a folder of notes needs no library for PDF."""


def format_of(kind: Kind, source: Source) -> Format:
    """Make the reader of a kind of file."""
    module, _, name = _READERS[kind.family].partition(":")
    make = getattr(import_module(f"{__name__}.{module}"), name)
    return cast("Format", make(source, kind))


__all__ = ["About", "Format", "format_of"]
