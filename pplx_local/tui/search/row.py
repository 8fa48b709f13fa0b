"""A hit as a few lines: where it lies and how sure it is, and what it says."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from pplx_local.tui.fitting import end_of
from pplx_local.tui.paint import painted, plain
from pplx_local.wording.amounts import time_in_words
from pplx_local.wording.excerpt import Mark, excerpt
from pplx_local.wording.hit import also_in, more_in_file, sureness
from pplx_local.wording.place import place_in_words
from pplx_local.wording.visible import visible, visible_path

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pplx_local.answer import Hit
    from pplx_local.wording.excerpt import Excerpt

_INDENT = "  "
_BLANKS = re.compile(r"\s+")


def told(hit: Hit) -> Hashable:
    """Give all that `body_of` looks at: with most letters of a question it stays."""
    folded = hit.more_in_file, hit.same
    return hit.text, hit.words, hit.matches, hit.line, hit.column, folded


def body_of(hit: Hit, width: int, n_lines: int) -> tuple[Excerpt, list[Content]]:
    """Lay out what a hit says.

    Args:
        hit: With an explanation.
        width: Cells that there are; at least 8.
        n_lines: Lines that there are; at least 1.

    Returns:
        The stretch that is shown, and so many lines, none of them wider.
    """
    part = excerpt(hit, max(width - len(_INDENT), 8) * n_lines)
    text = _flat(part).wrap(width - len(_INDENT))[:n_lines]
    text += [Content("")] * (n_lines - len(text))
    said = _folded(hit)
    if said and not text[-1].plain.strip():
        text[-1] = plain(said, "$foreground-muted")
    body = [
        (Content(_INDENT) + line.rstrip()).truncate(width, ellipsis=True)
        for line in text
    ]
    return part, body


def head_of(hit: Hit, part: Excerpt, width: int, *, is_marked: bool) -> Content:
    """Lay out `● path:line  place` to the left, and age and confidence to the right.

    Args:
        hit: Whose head it is.
        part: What is shown of it.
        width: Cells that there are; at least 8.
        is_marked: Whether it is one of several that were chosen.
    """
    right = _right(hit)
    mark = Content.styled("● ", "bold $accent") if is_marked else Content(_INDENT)
    room = width - right.cell_length - mark.cell_length - 1
    left = mark + _where(hit, part, max(room, 1))
    if room < 8:  # there is no room for both
        return left.truncate(width, ellipsis=True)
    return left.pad_right(max(0, width - left.cell_length - right.cell_length)) + right


def _where(hit: Hit, part: Excerpt, room: int) -> Content:
    place = visible(place_in_words(hit.place))
    line = f":{part.line}"
    path = visible_path(hit.path)
    said = f"  {place}" if place else ""
    if cell_len(path) + cell_len(line) + cell_len(said) > room:
        path = end_of(path, max(room - cell_len(line) - min(cell_len(said), 24), 8))
    folder, slash, name = path.rpartition("/")
    whole = Content.assemble(
        (folder + slash, "$foreground-muted"),
        (name, "bold"),
        (line, "$foreground-muted"),
        (said, "$text-secondary"),
    )
    return whole.truncate(room, ellipsis=True)


def _right(hit: Hit) -> Content:
    age = f"{_age(hit.modified_ns)}  " if hit.modified_ns else ""
    return Content.assemble((age, "$foreground-muted"), (_share(hit), _tone(hit)))


def _share(hit: Hit) -> str:
    """Say the confidence for a column, or the score where there is no telling."""
    is_number = hit.confidence == hit.confidence
    return f"{hit.confidence:>4.0%}" if is_number else sureness(hit)


def _tone(hit: Hit) -> str:
    if hit.confidence != hit.confidence:
        return "$foreground-muted"
    return "bold $text-success" if hit.confidence >= 0.5 else "$foreground-muted"


def _age(modified_ns: int) -> str:
    """Say `4 s`, `3 min`, `5 h`, `12 d`, `3 y`: short, for a column."""
    seconds = max(0.0, time.time() - modified_ns / 1e9)
    days = seconds / 86_400
    if days >= 365:
        return f"{days / 365.25:.0f} y"
    if days >= 1:
        return f"{days:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 5_400 else time_in_words(seconds)


def _folded(hit: Hit) -> str:
    return "; ".join(said for said in (more_in_file(hit), also_in(hit)) if said)


def _flat(part: Excerpt) -> Content:
    """Blanks of all kinds become one, so that a passage fills its few lines."""
    text, marks = part.text, []
    pieces: list[str] = []
    length = position = 0
    for mark in part.marks:
        before = _BLANKS.sub(" ", text[position : mark.start])
        word = _BLANKS.sub(" ", text[mark.start : mark.end])
        start = length + len(before)
        length = start + len(word)
        marks.append(Mark(start, length, mark.strength))
        pieces += [before, word]
        position = mark.end
    return painted("".join([*pieces, _BLANKS.sub(" ", text[position:])]), marks)
