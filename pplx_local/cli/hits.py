"""Hits on a terminal, in a pipe and in an editor's quickfix list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pplx_local.cli.show import stdout_console, write_data
from pplx_local.wording.excerpt import Excerpt, Strength, excerpt
from pplx_local.wording.hit import also_in, more_in_file, sureness
from pplx_local.wording.place import place_in_words
from pplx_local.wording.visible import visible, visible_path

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from pplx_local.answer import Answer, Hit

_PIPE_CHARS = 240
_LINES_SHOWN = 4
_NARROWEST = 30
_BLANKS = re.compile(r"\s+")
_STYLES: dict[Strength, str] = {
    "exact": "bold underline green",
    "close": "italic underline magenta",
    "near": "italic magenta",
    "far": "italic dim",
}
"""The colours are readable on light and dark; without any the words still differ."""


def show_hits(answer: Answer, explain: bool) -> None:
    """Write the hits for a person: in full on a terminal, a line each elsewhere."""
    console = stdout_console()
    for rank, hit in enumerate(answer.hits, start=1):
        if console is None:
            write_data(_line(hit))
        else:
            console.print(_block(rank, hit, console))
        if explain:
            _explain(hit, console)


def show_vimgrep(answer: Answer) -> None:
    """Write `path:line:column:text`, which editors open at the place."""
    for hit in answer.hits:
        part = excerpt(hit, _PIPE_CHARS)
        where = f"{visible_path(hit.path)}:{part.line}:{part.column}"
        write_data(f"{where}:{_flat(part.text).strip()}")


def _explain(hit: Hit, console: Console | None) -> None:
    from pplx_local.cli.explanation import explanation

    width = None if console is None else _width(console) - 4
    for line in explanation(hit, width):
        if console is None:
            write_data(f"    {line}".rstrip())
        else:
            console.print(f"    {line}", style="dim")
    if console is not None:
        console.print()


def _line(hit: Hit) -> str:
    part = excerpt(hit, _PIPE_CHARS)
    place = f" [{visible(place_in_words(hit.place))}]" if hit.place else ""
    text = _flat(part.text).strip()
    others = "".join(f" [{said}]" for said in _others(hit))
    return f"{visible_path(hit.path)}:{part.line}:{place} {text}{others}"


def _block(rank: int, hit: Hit, console: Console) -> Text:
    from rich.text import Text

    part = excerpt(hit, (_width(console) - 6) * _LINES_SHOWN)
    block = Text.assemble(
        (f"{rank:>2}  ", "dim"),
        (visible_path(hit.path), "bold"),
        (f":{part.line}", "dim"),
        *[
            (f"  {visible(place)}", "dim")
            for place in [place_in_words(hit.place)]
            if place
        ],
        (f"  {sureness(hit)}\n", "dim"),
    )
    block.append_text(_indented(_passage(part), console))
    for said in _others(hit):
        block.append(f"    {said}\n", "dim")
    return block


def _width(console: Console) -> int:
    return max(console.width, _NARROWEST)


def _others(hit: Hit) -> list[str]:
    """Say what was folded into the hit."""
    return [said for said in (more_in_file(hit), also_in(hit)) if said]


def _passage(part: Excerpt) -> Text:
    """The excerpt with the words that matched, each as strong as it is close."""
    from rich.text import Text

    text = Text()
    position = 0
    for start, end, strength in part.marks:
        text.append(_flat(part.text[position:start]))
        text.append(_flat(part.text[start:end]), _STYLES[strength])
        position = end
    text.append(_flat(part.text[position:]))
    return text


def _flat(text: str) -> str:
    """Blanks of all kinds become one, so that a passage fills its few lines."""
    return visible(_BLANKS.sub(" ", text))


def _indented(text: Text, console: Console) -> Text:
    from rich.text import Text

    block = Text()
    for line in text.wrap(console, _width(console) - 6)[:_LINES_SHOWN]:
        line.rstrip()
        block.append("    ").append_text(line).append("\n")
    return block
