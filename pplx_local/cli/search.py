"""The search command, with all that it takes."""

from __future__ import annotations

from typing import Annotated

import typer

from pplx_local.cli.asking import MOST_HITS, Format, Question, ask, one_format
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, ModeChoice


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
        int, typer.Option("-k", min=1, max=MOST_HITS, help="Hits, at most.")
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
    formats = one_format(output, as_json=as_json, as_jsonl=as_jsonl)
    if len(formats) > 1:
        said = " and ".join(formats)
        raise typer.BadParameter(f"{said} exclude each other", param_hint="--format")
    question = Question.of(query, k, mode, formats[0], explain=explain)
    if not question.text.strip():
        raise typer.BadParameter("it is empty", param_hint="QUERY")
    invocation = Invocation.of(ctx)
    raise typer.Exit(ask(invocation.library, question))
