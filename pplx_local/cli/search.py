"""The commands that find: search and similar, with all that they take."""

from __future__ import annotations

from typing import Annotated

import typer

from pplx_local.cli.asking import (
    MOST_HITS,
    Format,
    Question,
    Wish,
    ask,
    one_format,
    show,
)
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, ModeChoice
from pplx_local.cli.place import typed_place
from pplx_local.daemon.client import RemoteIndex

HowMany = Annotated[
    int, typer.Option("-k", min=1, max=MOST_HITS, help="Hits, at most.")
]
AsJsonLines = Annotated[
    bool,
    typer.Option("--jsonl", help="One JSON object for each hit, or each question."),
]
Output = Annotated[Format, typer.Option("--format", help="How hits are written.")]
ByMode = Annotated[ModeChoice, typer.Option(help="One leg, or all.")]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="What each leg gave, and which words met which."),
]
Every = Annotated[
    bool,
    typer.Option("--all", help="Each passage of a file, and each copy, as a hit."),
]


def search(
    ctx: typer.Context,
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY...",
            show_default=False,
            help="Words; put -- before a query that begins with a dash.",
        ),
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Questions from a file, one a line; - for stdin."
        ),
    ] = None,
    k: HowMany = 10,
    as_json: AsJson = False,
    as_jsonl: AsJsonLines = False,
    output: Output = "text",
    mode: ByMode = "hybrid",
    explain: Explain = False,
    every: Every = False,
) -> None:
    """Find the passages that answer a question."""
    written = _format(output, as_json=as_json, as_jsonl=as_jsonl)
    wish = Wish(k, mode, written, explain, folded=not every)
    question = Question.of(query or [], wish)
    invocation = Invocation.of(ctx)
    reach = invocation.library if mode == "lexical" else invocation.library_to_ask
    if queries is None:
        if not question.text.strip():
            raise typer.BadParameter("it is empty", param_hint="QUERY")
        raise typer.Exit(ask(reach, question))
    if query:
        raise typer.BadParameter("it excludes a QUERY", param_hint="--queries")
    from pplx_local.cli.batch import ask_all

    raise typer.Exit(ask_all(reach, queries, wish))


def _format(output: Format, *, as_json: bool, as_jsonl: bool) -> Format:
    formats = one_format(output, as_json=as_json, as_jsonl=as_jsonl)
    if len(formats) > 1:
        said = " and ".join(formats)
        raise typer.BadParameter(f"{said} exclude each other", param_hint="--format")
    return formats[0]


def similar(
    ctx: typer.Context,
    passage: Annotated[
        str,
        typer.Argument(
            metavar="PATH[:LINE]",
            show_default=False,
            help="An indexed file, or the passage at a line of it.",
        ),
    ],
    k: HowMany = 10,
    as_json: AsJson = False,
    as_jsonl: AsJsonLines = False,
    output: Output = "text",
    mode: ByMode = "hybrid",
    explain: Explain = False,
    every: Every = False,
) -> None:
    """Find passages like one that you have, or like a whole file."""
    written = _format(output, as_json=as_json, as_jsonl=as_jsonl)
    wish = Wish(k, mode, written, explain, folded=not every)
    path, line, _ = typed_place(passage)
    with Invocation.of(ctx).library() as index:
        answer = index.similar(path, line, **wish.options())
    by_daemon = isinstance(index, RemoteIndex)
    raise typer.Exit(show(answer, wish, by_daemon=by_daemon))
