"""Markdown: the text as it is written, with its headings as places."""

from __future__ import annotations

import re

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.front_matter import front_matter
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

# The literal line end in front makes the search several times faster than "^".
_MARK = re.compile(
    r"\n(?:(?P<indent> {0,3})(?:(?P<hashes>#{1,6})(?:[ \t](?P<words>[^\n]*))?"
    r"|(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*))|(?P<underline>=+|--+)[ \t]*)(?=\n|\Z)"
)
_PARAGRAPH_START = re.compile(r"[^#>|=\s`~*+-]")
_MAX_UNDERLINED_CHARS = 200
_CLOSING_HASHES = re.compile(r"(?:^|[ \t])#+$")
_DATES = ("date", "published", "created", "updated", "modified")


class Markdown(Text):
    """Headings (hashes and underlines) outside of fences, and simple front matter."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._outline = Outline("heading")
        self._fence = ""
        """The characters that opened the fence we are in; empty outside."""

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find the headings of a block."""
        body = self._read_front_matter(text) if char_start == 0 else 0
        lines = "\n" + text
        for mark in _MARK.finditer(lines, body):
            if mark["fence"]:
                self._open_or_close(mark["fence"], mark["info"])
            elif not self._fence:
                self._add_heading(char_start, lines, mark)
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give title, headings and front matter."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _add_heading(self, char_start: int, lines: str, mark: re.Match[str]) -> None:
        if mark["hashes"]:
            start, level = mark.start(), len(mark["hashes"])
            words = _CLOSING_HASHES.sub("", (mark["words"] or "").strip()).strip()
        else:
            start, words = _line_above(lines, mark.start())
            level = 1 if mark["underline"].startswith("=") else 2
        self._outline.add(char_start + start, level, words)
        if level == 1 and words and self._about.title is None:
            self._about.title = label(words)

    def _open_or_close(self, fence: str, info: str) -> None:
        if not self._fence:
            # Back-ticks after back-ticks are inline code, not a fence.
            if not (fence[0] == "`" and "`" in info):
                self._fence = fence
        elif (
            fence[0] == self._fence[0]
            and len(fence) >= len(self._fence)
            and not info.strip()
        ):
            self._fence = ""

    def _read_front_matter(self, text: str) -> int:
        """Take what it states, and say where the body starts."""
        fields, end = front_matter(text)
        self._about.title = label(fields.get("title", "")) or None
        language = fields.get("lang") or fields.get("language") or ""
        self._about.language = language_code(language)
        self._about.day = next(filter(None, map(read_day, _dates(fields))), None)
        self._about.metadata.update(fields)
        return end


def _dates(fields: dict[str, str]) -> list[str]:
    """Give what front matter may say of when a text was written, the surest first."""
    return [fields[key] for key in _DATES if key in fields]


def _line_above(lines: str, end: int) -> tuple[int, str]:
    """Give start and words of a one-line paragraph that ends here, if one does."""
    start = lines.rfind("\n", max(end - _MAX_UNDERLINED_CHARS, 0), end)
    alone = start >= 0 and (start == 0 or lines[start - 1] == "\n")
    words = lines[start + 1 : end]
    return (start, words) if alone and _PARAGRAPH_START.match(words) else (0, "")


def language_code(tag: str) -> str | None:
    """Reduce a language tag such as "de-CH" to its ISO 639-1 code."""
    code = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return code if re.fullmatch("[a-z]{2}", code) else None
