"""A stretch of a document as lines to show, by what kind of file it is of.

What renders a kind is loaded when such a file is seen: the first frame waits for none.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from pplx_local.tui.rendering.line import Line, lines_of
from pplx_local.tui.rendering.prose import page_lines, plain_lines, plain_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pplx_local.answer import Extract
    from pplx_local.tui.rendering.line import Piece

MARKDOWN = frozenset(("md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd"))
_EXTRACTED = """
pdf html htm xhtml xht epub fb2
doc docx docm dot dotx dotm odt ott fodt rtf wps wpd pages one
ppt pptx pptm pps ppsx ppsm pot potx potm odp otp fodp key
xls xlsx xlsm xlsb xlt xltx xltm ods ots fods numbers
eml emlx mht mhtml mbox mbx inbox sent drafts msg ipynb ics vcf
srt vtt sub sbv ass ssa
"""
EXTRACTED = frozenset(_EXTRACTED.split())
"""Of which the text is not what the file holds: it has no lines, and no syntax."""


def render(path: bytes, extract: Extract) -> list[Line]:
    """Render a stretch in colours; takes up to 0.3 s, so never on an event loop.

    Args:
        path: Of the file, whose name tells what it holds.
        extract: A stretch of its text.
    """
    kind = _extension(path)
    if kind in EXTRACTED:
        return page_lines(extract)
    if kind in MARKDOWN:
        from pplx_local.tui.rendering.markdown import markdown_lines

        return markdown_lines(extract, _highlight)
    from pplx_local.tui.rendering.code import code_of_file

    pieces = code_of_file(extract.text, _name(path))
    return lines_of(extract.text, pieces, extract.char_start, extract.line)


def sketch(path: bytes, extract: Extract) -> list[Line]:
    """Render a stretch without the colours of code, within a few milliseconds."""
    kind = _extension(path)
    if kind in EXTRACTED:
        return page_lines(extract)
    if kind in MARKDOWN:
        from pplx_local.tui.rendering.markdown import markdown_lines

        return markdown_lines(extract, lambda code, language: plain_pieces(code))
    return plain_lines(extract)


def has_numbers(path: bytes) -> bool:
    """Tell whether the lines of a file's text are lines of the file."""
    return _extension(path) not in EXTRACTED


def _highlight(code: str, language: str) -> Sequence[Piece]:
    from pplx_local.tui.rendering.code import code_of_language

    return code_of_language(code, language)


@cache
def _name(path: bytes) -> str:
    return PurePath(os.fsdecode(path)).name


def _extension(path: bytes) -> str:
    return _name(path).rpartition(".")[2].lower()
