"""What is asked for, and the program that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pplx_local.answer import Place

Wish = Literal["open", "edit", "page", "reveal"]
"""In what suits it; in an editor; in a pager; in the file manager."""


class Where(NamedTuple):
    """A place in a file, as far as it is known."""

    line: int | None = None
    """1-based, of the document's text."""
    column: int | None = None
    """1-based, in bytes of UTF-8; editors that count characters land close by."""
    page: int | None = None
    """1-based."""
    chapter: str | None = None
    """Its title, as the book's table of contents has it."""
    part: str | None = None
    """What a person has to look for: a slide, cells, a chapter."""


def page_of(place: Sequence[Place]) -> int | None:
    """Find the page in a hit's place; None where its document has none."""
    labels = (label for kind, label in place if kind == "page")
    return next((int(label) for label in labels if label.isdecimal()), None)


def chapter_of(place: Sequence[Place]) -> str | None:
    """Find the innermost chapter in a hit's place; None where there is none."""
    labels = [label for kind, label in place if kind == "chapter"]
    return labels[-1] if labels else None


def at_part(part: str) -> str:
    """Say which part to go to by hand."""
    return f"The place is {part}."


class Command(NamedTuple):
    """A program and how it is started."""

    argv: tuple[str, ...]
    """Never for a shell. Bytes of a path that are not UTF-8 are lone surrogates."""
    in_terminal: bool
    """Whether it wants the terminal for itself until it ends; else it has windows."""
    notice: str | None = None
    """What a person should know of it, such as the page to turn to; it names files, so
    it is as hostile as they are."""
    otherwise: tuple[str, ...] = ()
    """What is started instead where the first cannot do it."""

    @property
    def program(self) -> str:
        """What a person calls it."""
        return self.argv[0].rsplit("/", 1)[-1]
