"""Markdown as it reads, line by line, so that lines keep their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pplx_local.tui.rendering.fences import FENCE, Fenced, Written, fenced
from pplx_local.tui.rendering.inline import Inline, inline_pieces
from pplx_local.tui.rendering.line import (
    Line,
    Piece,
    line_of,
    line_spans,
    lines_of,
    rule,
)

if TYPE_CHECKING:
    from pplx_local.answer import Extract

Highlight = Callable[[str, str], Sequence[Piece]]
"""From code and its language to how it is shown."""

_MAX_CHARS = 2_000
"""A longer line stays as it is written: nobody wrote it to be read."""
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
_CLOSING_HASHES = re.compile(r"(?<![ \t])[ \t]+#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_UNDERLINED = re.compile(r" {0,3}[^\s#>|=`~*+-]")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
_QUOTE = re.compile(r" {0,3}>[ \t]?")
_BULLET = re.compile(r"[ \t]*([-*+])[ \t]+(?:\[([ xX])\][ \t]+)?(?=\S)")
_NUMBER = re.compile(r"[ \t]*(\d{1,9}[.)][ \t]+)(?=\S)")
_CELL = r"[ \t]*+:?-++:?[ \t]*+"
_BELOW_TABLE_HEAD = re.compile(rf" {{0,3}}\|?{_CELL}(?:\|{_CELL})*+\|?[ \t]*+")
_FRONT_MATTER = re.compile(
    r"---[ \t]*\n(?:[^\n]{0,2000}\n){0,200}?(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)
_SIGNS = re.compile(r"[ ▎]*(?:[•☐☑] |\d{1,9}[.)] +)?")
_DIM = "$foreground-muted"
_HEADINGS = ("bold $text-primary", "bold $text-secondary", "bold")
_BOXES = {" ": "☐ ", "x": "☑ ", "X": "☑ "}


def markdown_lines(extract: Extract, highlight: Highlight) -> list[Line]:
    """Render a stretch of a Markdown text.

    What is malformed stays as it is written.
    """
    return list(_Renderer(extract, highlight).lines())


class _Renderer:
    """Goes through the lines of a stretch, in order."""

    def __init__(self, extract: Extract, highlight: Highlight) -> None:
        self._text = extract.text
        self._char_start = extract.char_start
        self._number = extract.line
        spans = line_spans(extract.text)
        self._lines = [Written(*span, extract.text[slice(*span)]) for span in spans]
        self._matter_end = self._find_matter()
        self._tables = set(self._find_tables())
        headings = {one.char_start - extract.char_start for one in extract.segments}
        self._code: dict[int, Line] = {}
        """By where in the document they start."""
        for block in fenced(self._lines, headings):
            self._add_code(block, highlight)
        self._is_in_list = extract.char_start > 0
        """Or may be."""
        self._may_be_code = True
        """Whether a line that is set in is code here."""

    def lines(self) -> Iterator[Line]:
        """Render all of them."""
        for index, written in enumerate(self._lines):
            start = self._char_start + written.start
            if code := self._code.get(start):
                yield code
            elif self._is_rule(index):
                yield rule("", start, self._number + index)
            else:
                yield self._words(index)

    # --- what reaches over several lines ---

    def _find_matter(self) -> int:
        found = _FRONT_MATTER.match(self._text)
        return found.end() if found and not self._char_start else 0

    def _find_tables(self) -> Iterator[int]:
        """Name the lines of tables, which stay as they are."""
        is_inside = False
        for index, written in enumerate(self._lines):
            words = written.words
            if "|" in words and _BELOW_TABLE_HEAD.fullmatch(words):
                is_inside = True
                yield max(index - 1, 0)
            is_inside = is_inside and "|" in words
            if is_inside or words.lstrip().startswith("|"):
                yield index

    def _add_code(self, block: Fenced, highlight: Highlight) -> None:
        code = self._text[block.start : block.end]
        pieces = highlight(code, block.language)
        number = self._number + block.n_lines_before
        for line in lines_of(code, pieces, self._char_start + block.start, number):
            self._code[line.start] = line

    # --- a line ---

    def _is_rule(self, index: int) -> bool:
        written = self._lines[index]
        return (
            written.start >= self._matter_end
            and _RULE.fullmatch(written.words) is not None
            and not self._underlines(index)
        )

    def _underlines(self, index: int) -> bool:
        """Tell whether a line makes a heading of the one above it."""
        if not 0 < index < len(self._lines):
            return False
        is_alone = index == 1 or not self._lines[index - 2].words.strip()
        return (
            is_alone
            and _UNDERLINE.fullmatch(self._lines[index].words) is not None
            and _UNDERLINED.match(self._lines[index - 1].words) is not None
        )

    def _words(self, index: int) -> Line:
        pieces = list(self._pieces(index))
        start = self._lines[index].start
        number = self._number + index
        line = line_of(self._text, start, pieces, self._char_start, number)
        signs = _SIGNS.match(line.content.plain)
        return line._replace(hang=signs.end() if signs else 0)

    def _pieces(self, index: int) -> Iterator[Piece]:
        start, end, words = self._lines[index]
        is_code = self._is_code(words)
        if (
            start < self._matter_end
            or FENCE.fullmatch(words)
            or self._underlines(index)
        ):
            yield Piece(start, end, _DIM)
        elif is_code or index in self._tables or len(words) > _MAX_CHARS:
            yield Piece(start, end)
        elif self._underlines(index + 1):
            level = 1 if "=" in self._lines[index + 1].words else 2
            yield from self._inline(start, end, _HEADINGS[level - 1])
        else:
            yield from self._marked(start, end)

    def _is_code(self, words: str) -> bool:
        """Tell whether a line is code because it is set in, after a blank one."""
        if not words.strip():
            self._may_be_code = True
            return False
        is_deep = words.startswith(("    ", "\t"))
        is_code = is_deep and self._may_be_code and not self._is_in_list
        is_item = bool(_BULLET.match(words) or _NUMBER.match(words))
        if is_item and not is_code:
            self._is_in_list = True
        elif not words[0].isspace():
            self._is_in_list = False
        self._may_be_code = is_code
        return is_code

    def _marked(self, start: int, end: int) -> Iterator[Piece]:
        """Show what the signs at the start of a line say."""
        while found := _QUOTE.match(self._text, start, end):
            yield Piece(start, found.end(), _DIM, "▎ ")
            start = found.end()
        if found := _HEADING.match(self._text, start, end):
            closing = _CLOSING_HASHES.search(self._text, found.end(), end)
            style = _HEADINGS[min(len(found[1]), len(_HEADINGS)) - 1]
            words_end = closing.start() if closing else end
            yield from self._inline(found.end(), words_end, style)
        else:
            yield from self._item(start, end)

    def _item(self, start: int, end: int) -> Iterator[Piece]:
        if found := _BULLET.match(self._text, start, end):
            yield Piece(start, found.start(1))
            yield Piece(found.start(1), found.end(), _DIM, _BOXES.get(found[2], "• "))
            start = found.end()
        elif found := _NUMBER.match(self._text, start, end):
            yield Piece(start, found.start(1))
            yield Piece(*found.span(1), _DIM)
            start = found.end()
        yield from self._inline(start, end)

    def _inline(self, start: int, end: int, style: str = "") -> Iterator[Piece]:
        yield from inline_pieces(self._text, Inline(start, end, style))
