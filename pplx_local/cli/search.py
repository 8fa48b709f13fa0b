"""The search command: hits on stdout, one line about how they were found on stderr."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pplx_local.cli.guard import NOTHING_FOUND
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, ModeChoice
from pplx_local.cli.show import flush_data, say, write_json
from pplx_local.cli.words import share_in_words

if TYPE_CHECKING:
    from pplx_local.records import Answer

_MOST_HITS = 10_000
Format = Literal["text", "vimgrep", "json", "jsonl"]


def search(
    ctx: typer.Context,
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY...",
            show_default=False,
            help="Words; put -- before a query that begins with a dash.",
        ),
    ],
    k: Annotated[
        int, typer.Option("-k", min=1, max=_MOST_HITS, help="Hits, at most.")
    ] = 10,
    as_json: AsJson = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object for each hit.")
    ] = False,
    output: Annotated[
        Format, typer.Option("--format", help="How hits are written.")
    ] = "text",
    mode: Annotated[ModeChoice, typer.Option(help="One leg, or all.")] = "hybrid",
    explain: Annotated[
        bool, typer.Option("--explain", help="Each leg's score, and matched words.")
    ] = False,
) -> None:
    """Find the passages that answer a question."""
    output = _one_format(output, as_json, as_jsonl)
    text = _clean(" ".join(query))
    if not text.strip():
        raise typer.BadParameter("it is empty", param_hint="QUERY")
    with_matches = explain or output in ("text", "vimgrep")  # they choose the part
    with Invocation.of(ctx).open() as index:
        answer = index.search(text, k=k, mode=mode, explain=with_matches)
    _write(answer, output, explain)
    flush_data()  # on a terminal the hits come first
    say(how_found(answer))
    for problem in shortcomings(answer):
        say(problem)
    if answer.nothing_close or not answer.hits:
        raise typer.Exit(NOTHING_FOUND)


def _one_format(output: Format, as_json: bool, as_jsonl: bool) -> Format:
    asked: set[Format] = {output} - {"text"}
    asked |= {"json"} if as_json else set()
    asked |= {"jsonl"} if as_jsonl else set()
    if len(asked) > 1:
        formats = " and ".join(sorted(asked))
        raise typer.BadParameter(f"{formats} exclude each other", param_hint="--format")
    return asked.pop() if asked else "text"


def _clean(query: str) -> str:
    """Make a query that was typed in some other encoding into text."""
    return os.fsencode(query).decode("utf-8", "replace")


def _write(answer: Answer, output: Format, explain: bool) -> None:
    from pplx_local.cli.as_json import answer_json, hit_json
    from pplx_local.cli.hits import show_hits, show_vimgrep

    if output == "json":
        write_json(answer_json(answer))
    elif output == "jsonl":
        for hit in answer.hits:
            write_json(hit_json(hit))
    elif output == "vimgrep":
        show_vimgrep(answer)
    else:
        show_hits(answer, explain)


def how_found(answer: Answer) -> str:
    """Say which legs ran, how much each of them covers, and how long it took."""
    ran = [
        leg if report.coverage >= 1 else f"{leg} ({share_in_words(report.coverage)})"
        for leg, report in answer.legs.items()
        if report.ran
    ]
    n = len(answer.hits)
    found = f"{n} hit{'' if n == 1 else 's'}" if n else "Nothing found"
    if n and answer.nothing_close:
        found = f"Nothing close; {found}"
    return f"{found} by {', '.join(ran) or 'no leg'} in {answer.took_ms:.0f} ms."


def shortcomings(answer: Answer) -> list[str]:
    """Say what kept legs from running or from seeing all documents, and what helps."""
    reasons: dict[str, list[str]] = {}
    for leg, report in answer.legs.items():
        if not report.ran and report.reason and answer.mode in ("hybrid", leg):
            reasons.setdefault(report.reason.rstrip("."), []).append(leg)
    said = [f"Without {' and '.join(legs)}: {why}." for why, legs in reasons.items()]
    if any(report.ran and report.coverage < 1 for report in answer.legs.values()):
        said.append("Not everything is embedded yet. To go on: pplx-local update")
    return said
