"""Hits on a terminal, in a pipe and in an editor's quickfix list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pplx_local.cli.excerpt import Excerpt, excerpt
from pplx_local.cli.show import stdout_console, visible, visible_path, write_data

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from pplx_local.records import Answer, Hit

_PIPE_CHARS = 240
_LINES_SHOWN = 4
_NARROWEST = 30
_BLANKS = re.compile(r"\s+")


def show_hits(answer: Answer, explain: bool) -> None:
    """Write the hits for a person: in full on a terminal, a line each elsewhere."""
    console = stdout_console()
    if console is None:
        for hit in answer.hits:
            write_data(_line(hit, answer.query, with_column=False))
            if explain:
                write_data(f"    {_scores(hit)}")
        return
    for rank, hit in enumerate(answer.hits, start=1):
        console.print(_block(rank, hit, answer.query, console, explain))


def show_vimgrep(answer: Answer) -> None:
    """Write `path:line:column:text`, which editors open at the place."""
    for hit in answer.hits:
        write_data(_line(hit, answer.query, with_column=True))


def _line(hit: Hit, query: str, *, with_column: bool) -> str:
    part = excerpt(hit, query, _PIPE_CHARS)
    text = visible(_BLANKS.sub(" ", part.text).strip())
    where = f"{visible_path(hit.path)}:{part.line}:"
    if with_column:
        return f"{where}{part.column}:{text}"
    place = f"[{visible(_place(hit))}] " if hit.place else ""
    return f"{where} {place}{text}"


def _block(rank: int, hit: Hit, query: str, console: Console, explain: bool) -> Text:
    from rich.text import Text

    part = excerpt(hit, query, (_width(console) - 6) * _LINES_SHOWN)
    block = Text.assemble(
        (f"{rank:>2}  ", "dim"),
        (visible_path(hit.path), "bold"),
        (f":{part.line}", "dim"),
        *[(f"  {visible(place)}", "dim") for place in [_place(hit)] if place],
        (f"  {_sureness(hit)}\n", "dim"),
    )
    block.append_text(_passage(part, console))
    if explain:
        block.append(f"    {_scores(hit)}\n", "dim")
        block.append(_matches(hit), "dim")
    return block


def _width(console: Console) -> int:
    return max(console.width, _NARROWEST)


def _place(hit: Hit) -> str:
    """Say `page 3 > Results`; a heading needs no word for what it is."""
    return " > ".join(
        label if kind == "heading" else f"{kind} {label}" for kind, label in hit.place
    )


def _sureness(hit: Hit) -> str:
    is_number = hit.confidence == hit.confidence
    return f"{hit.confidence:.2f}" if is_number else f"score {hit.score:.2f}"


def _passage(part: Excerpt, console: Console) -> Text:
    """The excerpt, indented and wrapped, with the query's words underlined."""
    from rich.text import Text

    text = Text()
    position = 0
    for start, end in part.marks:
        text.append(_flat(part.text[position:start]))
        text.append(_flat(part.text[start:end]), "bold underline")
        position = end
    text.append(_flat(part.text[position:]))
    return _indented(text, console)


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


def _scores(hit: Hit) -> str:
    legs = [f"{leg} {score:.3f}" for leg, score in hit.scores.items()]
    return f"score {hit.score:.3f}: {', '.join(legs)}"


def _matches(hit: Hit) -> str:
    """Say which word of the query met which word of the passage."""
    said = [
        f"    {visible(match.query_word)} -> "
        f"{visible(hit.text[match.text_start : match.text_end])} "
        f"({match.similarity:.2f})\n"
        for match in hit.matches
    ]
    return "".join(said)
