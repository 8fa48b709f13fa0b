"""Joins the words of a page of HTML, and notes where its headings and anchors stand."""

from __future__ import annotations

from pplx_local.documents.formats.outline import Outline


class PageWriter:
    """Joins words the way a page shows them: runs of blanks are one."""

    def __init__(
        self,
        outline: Outline,
        char_start: int = 0,
        anchors: dict[str, int] | None = None,
    ) -> None:
        self.parts: list[str] = []
        self.anchors = anchors
        self._outline = outline
        self._char_start = char_start
        self._passed: list[str] = []
        """Anchors that stand before the next word."""
        self._n_chars = 0
        self._gap = ""
        """What comes before the next word: nothing, a blank, a tab or line ends."""
        self._heading: tuple[int, list[str]] | None = None

    def separate(self, gap: str) -> None:
        """Ask for at least this gap before the next word; longer lines win."""
        if (gap.count("\n"), gap) > (self._gap.count("\n"), self._gap):
            self._gap = gap

    def write(self, text: str, *, preformatted: bool) -> None:
        """Add the text of a node."""
        words = text.strip("\n") if preformatted else " ".join(text.split())
        if not preformatted and (not words or text[0].isspace()):
            self.separate(" ")
        if not words:
            return
        if self._n_chars:
            self._append(self._gap)
        self._gap = ""
        self._note_heading(words)
        self._note_anchors()
        self._append(words)
        if not preformatted and text[-1].isspace():
            self.separate(" ")

    def write_alone(self, text: str) -> None:
        """Add what stands for a picture, apart from the words beside it."""
        self.separate(" ")
        self.write(text, preformatted=False)
        self.separate(" ")

    def _append(self, text: str) -> None:
        self.parts.append(text)
        self._n_chars += len(text)

    def pass_anchor(self, name: str) -> None:
        """Note that an anchor stands before the next word."""
        if self.anchors is not None and name in self.anchors:
            self._passed.append(name)

    def _note_anchors(self) -> None:
        for name in self._passed:
            if self.anchors is not None:
                self.anchors[name] = self._char_start + self._n_chars
        self._passed.clear()

    def open_heading(self, level: int) -> None:
        """Start to collect the words of a heading."""
        self._heading = (level, [])

    def close_heading(self) -> None:
        """Note the heading where its first word was written."""
        if self._heading and self._heading[1]:
            level, words = self._heading
            self._outline.add(self._heading_start, level, " ".join(words))
        self._heading = None

    def _note_heading(self, words: str) -> None:
        if self._heading:
            if not self._heading[1]:
                self._heading_start = self._char_start + self._n_chars
            self._heading[1].append(words)
