"""What a file may be opened with: decided by an allow-list, its name and its first bytes.

A name is not enough. The system's own opener looks at the bytes too, and would hand a
web page that is called `map.png` to a browser, which runs its scripts.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pplx_local.errors import OpenError

Sort = Literal[
    "text", "html", "source", "pdf", "book", "viewed", "macros", "binary", "folder"
]
""""viewed" is what the system's own opener may choose a program for, "source" a text
that says something else than the document it holds, line by line."""

_HEAD_BYTES = 8192
_ZIP = rb"PK\x03\x04.{26}"  # the name of the first file in it comes next
_OFFICE = rb"(?:\[Content_Types\]|_rels/|docProps/|customXml/|word/|ppt/|xl/)"
_APPLE = rb"(?:Index|Data|Metadata|preview)"
_BEGINNINGS = {
    "pdf": rb"%PDF-",
    "png": rb"\x89PNG\r\n\x1a\n",
    "jpg jpeg": rb"\xff\xd8\xff",
    "gif": rb"GIF8[79]a",
    "bmp": rb"BM.{4}\0{4}",
    "tif tiff": rb"II\*\0|MM\0\*",
    "webp": rb"RIFF.{4}WEBP",
    "heic heif avif": rb".{4}ftyp",
    "docx dotx pptx potx ppsx xlsx xltx": _ZIP + _OFFICE,
    "odt ott odp otp ods ots epub": _ZIP + rb"mimetypeapplication/",
    "pages key numbers": _ZIP + _APPLE,
    "doc ppt xls xlt": rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "rtf": rb"\{\\rtf",
    "mobi azw azw3": rb".{60}BOOKMOBI",
    "djvu": rb"AT&TFORM",
}
"""How files begin that a viewer may be given, by extension. Not here, so never handed on:
what is run (programs, scripts, .desktop, .jar, .app), what carries macros by its very
type (`MACROS`), and what fetches from the network when it is shown (HTML, SVG,
mail). Those are shown as text if they are text, or else in their folder."""
ALLOWED = MappingProxyType(
    {
        extension: re.compile(beginning, re.DOTALL)
        for extensions, beginning in _BEGINNINGS.items()
        for extension in extensions.split()
    }
)
MACROS = frozenset({"docm", "dotm", "pptm", "potm", "ppsm", "xlsm", "xltm", "xlsb"})
"""An office program asks before it runs them, and people say yes: who opens such a file
should do so knowingly, from its folder."""
HTML = frozenset({"html", "htm", "xhtml", "xht"})
SOURCE = frozenset(
    {
        *("eml", "emlx", "mht", "mhtml", "mbox", "mbx", "inbox", "sent", "drafts"),
        *("ipynb", "fodt", "fodp", "fb2", "ics", "vcf"),
        *("srt", "vtt", "sub", "sbv", "ass", "ssa"),
    }
)
"""Of which the text is read as what it means, as a mail is without its base64; a mail
program's mailboxes have names alone."""
_OWN_SORTS: MappingProxyType[str, Sort] = MappingProxyType(
    {"pdf": "pdf", "epub": "book"}
)
_TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""UTF-16 and UTF-32 are text and have zeros."""


def sort_of(path: Path) -> Sort:
    """Look at a file.

    Raises:
        OpenError: It is gone, cannot be read, or is none.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "folder"
        if not stat.S_ISREG(mode):  # reading a pipe may wait for ever
            raise OpenError(f"{path} is no file with a content that could be shown.")
        with path.open("rb") as file:
            return judge(path, file.read(_HEAD_BYTES))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OpenError(
            f"{path} is not there: it was moved or deleted, or its disk is away. To "
            "have the index follow, run: pplx-local update"
        ) from error
    except OSError as error:
        raise OpenError(
            f"Cannot open {path}: {error.strerror}. Check that you may read it."
        ) from error


def judge(path: Path, head: bytes) -> Sort:
    """Say what a file is by its name and its first bytes."""
    extension = path.suffix[1:].lower()
    beginning = ALLOWED.get(extension)
    if beginning and beginning.match(head):
        return _OWN_SORTS.get(extension, "viewed")
    if b"\0" in head and not head.startswith(_TEXT_MARKS):
        return "macros" if extension in MACROS else "binary"
    if extension in HTML:
        return "html"
    return "source" if (extension or path.name.lower()) in SOURCE else "text"
