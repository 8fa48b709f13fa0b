"""Joins the words of an XML document, on the lines of the file where they tell places."""

from __future__ import annotations

import re

from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.xml.tokens import Markup, Token, Words

_HEADING = re.compile("title|head|heading|h[1-6]")
_LEVELS_OF_H = 10
_MAX_HEADING_RUNS = 20
_PARAGRAPH_LINES = 2
_CODED = re.compile(
    r"[A-Za-z0-9+/=_-]{1000,}+|(?:[A-Za-z0-9+/=]{60,}+[ \t]*\n[ \t]*+){4,}+[\w+/=]*+"
)
"""Pictures and the like: no words."""


class XmlWriter:
    """Writes the text of elements, one behind the other.

    Args:
        outline: Gets the headings.
        border: Stands between the texts of two elements on one line of the file.
        keeps_lines: Whether each text stands on its line of the file; of markup the
            ends of its lines stay then.
    """

    def __init__(self, outline: Outline, *, border: str, keeps_lines: bool) -> None:
        self.title = ""
        """The words of the first title."""
        self._outline = outline
        self._border = border
        self._keeps_lines = keeps_lines
        self._parts: list[str] = []
        self._n_chars = 0
        self._n_lines = 0
        """That end before the next words."""
        self._follows_blank = False
        self._depth = self._last_depth = self._least_depth = 0
        """How many elements are open: now, at the last words, at least since then."""
        self._with_words: set[int] = set()
        """How deep those of them are that hold words beside their children."""
        self._heading = ""
        """Name of the one that is open."""
        self._heading_start = 0
        self._heading_runs: list[str] = []

    def take(self) -> str:
        """Give what was written since the last call."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def add(self, token: Token) -> None:
        """Go on with a token."""
        if isinstance(token, Words):
            self._add_words(token.text)
        else:
            self._n_lines += token.n_lines
            self._add_tag(token)

    def _add_words(self, text: str) -> None:
        words = text.strip()
        if words:
            lead = text[: len(text) - len(text.lstrip())]
            self._add_blanks(lead)
            self._append(self._gap() + lead[lead.rfind("\n") + 1 :] * ("\n" in lead))
            self._note_heading(words)
            self._append(self._readable(words))
            self._n_lines, self._follows_blank = 0, False
            self._last_depth = self._least_depth = self._depth
        self._add_blanks(text[len(text.rstrip()) :])

    def _add_blanks(self, blanks: str) -> None:
        self._n_lines += blanks.count("\n")
        self._follows_blank = self._follows_blank or bool(blanks)

    def _gap(self) -> str:
        """Choose what stands between the last words and the next."""
        self._with_words.add(self._depth)
        if self._n_lines or not self._n_chars:
            return "\n" * self._lines(self._n_lines)
        deepest = max(self._depth, self._last_depth)
        is_inline = (
            self._least_depth in self._with_words and deepest <= self._least_depth + 1
        )
        return (" " if self._follows_blank else "") if is_inline else self._border

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._n_chars += len(text)

    def _add_tag(self, tag: Markup) -> None:
        if tag.is_empty:
            self._follows_blank = True
        elif tag.is_end:
            self._close(tag.name)
        elif tag.name:
            self._depth += 1
            if _HEADING.fullmatch(tag.name):
                self._heading, self._heading_runs = tag.name, []

    def _close(self, name: str) -> None:
        if name == self._heading:
            self._close_heading()
        self._with_words.discard(self._depth)
        self._depth = max(self._depth - 1, 0)
        self._least_depth = min(self._least_depth, self._depth)

    def _close_heading(self) -> None:
        words = " ".join(self._heading_runs)
        rank = int(self._heading[1]) if self._heading[1:].isdigit() else 0
        level = self._depth * _LEVELS_OF_H + rank
        self._outline.add(self._heading_start, level, words)
        if self._heading == "title":
            self.title = self.title or words
        self._heading = ""

    def _note_heading(self, words: str) -> None:
        if self._heading and not self._heading_runs:
            self._heading_start = self._n_chars
        if self._heading and len(self._heading_runs) < _MAX_HEADING_RUNS:
            self._heading_runs.append(words)

    def _readable(self, words: str) -> str:
        """Leave out what holds no words, and blanks at the ends of lines."""
        words = _CODED.sub(
            lambda coded: "…" + "\n" * self._lines(coded[0].count("\n")), words
        )
        return "\n".join(line.rstrip() for line in words.split("\n"))

    def _lines(self, n: int) -> int:
        most = n if self._keeps_lines else _PARAGRAPH_LINES if self._n_chars else 0
        return min(n, most)
