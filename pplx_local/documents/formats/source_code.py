"""Source code: the text as it is, with its definitions as places."""

from __future__ import annotations

import re

from pplx_local.documents.formats.definitions import definitions_of
from pplx_local.documents.formats.format import About
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

_TAB = 8
_COMMENT = re.compile(
    r"[ \t]*(?://|/\*|\*|--|;;|%|@\w|\[\w+[\](]|#(?!(?:if|endif|incl|def)))"
)
"""Lines that belong to the definition below them: comments, attributes, annotations."""
_MOST_COMMENT_LINES = 40


class SourceCode(Text):
    """Definitions, those inside of others by how far they are set in."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._definition = definitions_of(kind.label)
        self._outline = Outline("symbol")
        self._last: tuple[int, str] | None = None
        """Level and name of the definition before; parts of one are not told apart."""

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find the definitions of a block."""
        end = 0
        for found in self._definition.finditer(text):
            level = 1 + len(found["indent"].expandtabs(_TAB))
            name = _name(found)
            if name and (level, name) != self._last:
                start = _commented(text, found.start(), end)
                self._outline.add(char_start + start, level, name)
                self._last = level, name
            end = found.end()
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give the definitions and the language."""
        self._about.segments = self._outline.segments(n_chars)
        self._about.metadata["code_language"] = self._kind.label
        return self._about


def _name(found: re.Match[str]) -> str:
    """Give the group that was found; all but one are empty."""
    named = found.groupdict(default="")
    return next((one for group, one in named.items() if one and group != "indent"), "")


def _commented(text: str, start: int, least: int) -> int:
    """Move a start up to the comment right above it."""
    for _ in range(_MOST_COMMENT_LINES):
        above = text.rfind("\n", least, max(start - 1, least)) + 1
        if above <= least or not _COMMENT.match(text, above, start):
            break
        start = above
    return start
