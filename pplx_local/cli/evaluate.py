"""The command that measures the quality of the search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, typed_path
from pplx_local.cli.progress import follow
from pplx_local.cli.show import write_data, write_json
from pplx_local.wording.amounts import size_in_words
from pplx_local.wording.visible import visible


def evaluate(
    ctx: typer.Context,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", parser=typed_path, show_default=False)
    ],
    as_json: AsJson = False,
    units: Annotated[
        Literal["given", "own"] | None,
        typer.Option(help="The collection's passages, or our own chunks."),
    ] = None,
    legs: Annotated[
        str | None,
        typer.Option(
            metavar="LEG,LEG...", help="Only these: lexical, dense, late, hybrid."
        ),
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also without each part in turn.")
    ] = False,
    exhaustive: Annotated[
        bool,
        typer.Option(
            "--exhaustive", help="Also with every chunk scored: what a search loses."
        ),
    ] = False,
    late_chunking: Annotated[
        Literal["on", "off"] | None,
        typer.Option(
            help="Whether a document's chunks are read together; default: on for models "
            "that were trained for it."
        ),
    ] = None,
    tokens: Annotated[
        str | None,
        typer.Option(
            metavar="WAY,WAY...",
            help="Compare ways of keeping token vectors: int8, bits, bits-pooled2, ...",
        ),
    ] = None,
    alone: Annotated[
        Literal["dense", "late"] | None,
        typer.Option(help="As if the model made nothing for the other leg."),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=typed_path,
            help="Ask these: queries_train.jsonl, judged by qrels_train.tsv.",
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="even|odd|N", help="Ask every other query, or N evenly spread."
        ),
    ] = None,
    unanswerable: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            parser=typed_path,
            help="Queries that nothing here answers: are they told apart? As many "
            "files as you like.",
        ),
    ] = None,
    answer_removed: Annotated[
        bool,
        typer.Option(
            "--answer-removed", help="Also with the relevant chunks kept out."
        ),
    ] = False,
    distractors: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Add so many unrelated chunks."),
    ] = 0,
    distractors_from: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            parser=typed_path,
            help="Where to cut them from; default: the collections beside DIR.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=typed_path,
            help="Keep the index there, or use the one that is there.",
        ),
    ] = None,
) -> None:
    """Measure the search on a collection with relevance judgments."""
    from pplx_local.evaluate import Evaluation, Options

    invocation = Invocation.of(ctx)
    options = Options(
        units=units,
        legs=[leg.strip() for leg in legs.split(",")] if legs else None,
        ablate=ablate,
        exhaustive=exhaustive,
        late_chunking=None if late_chunking is None else late_chunking == "on",
        tokens=tokens.split(",") if tokens else (),
        alone=alone,
        queries=queries,
        sample=sample,
        unanswerable=unanswerable or (),
        answer_removed=answer_removed,
        distractors=distractors,
        distractors_from=distractors_from or (),
        keep=keep,
    )
    evaluation = Evaluation(
        directory, invocation.settings(), options, worker=invocation.workers()
    )
    follow(evaluation)
    if as_json:
        write_json(evaluation.result)
    else:
        _show(evaluation.result)


def _show(result: dict[str, Any]) -> None:
    write_data(
        f"{visible(result['collection'])}: {result['documents']:,} documents, "
        f"{result['queries']:,} queries, {size_in_words(result['index_bytes'])}"
    )
    metrics = result["metrics"]
    names = list(next(iter(metrics.values()), {}))
    width = max((len(leg) for leg in metrics), default=0) + 2
    write_data(" " * width + "".join(f"{name:>{len(name) + 2}}" for name in names))
    for leg, figures in metrics.items():
        values = "".join(f"{figures[name]:>{len(name) + 2}.4f}" for name in names)
        write_data(f"{visible(leg):<{width}}{values}")
    for leg, found in result.get("top_10_found", {}).items():
        write_data(
            f"the shortlist holds {found['share']:.1%} of the first ten by {leg}, "
            f"all of them for {found['queries']:.1%} of the queries"
        )
    _show_tokens(result.get("tokens", []))
    _show_confidence(result["confidence"])
    latency = result["latency_ms"]
    write_data(f"latency: p50 {latency['p50']:.0f} ms, p95 {latency['p95']:.0f} ms")


def _show_tokens(rows: list[dict[str, Any]]) -> None:
    legs = [leg for leg in ("late", "hybrid") if rows and leg in rows[0]]
    if rows:
        heads = "".join(f"{leg:>10}{'loss':>9}" for leg in legs)
        write_data(f"{'tokens':<16}{'bytes/token':>12}{'/chunk':>10}{heads}")
    for row in rows:
        ndcg = "".join(
            f"{row[leg]:>10.4f}{row.get(f'{leg}_loss', 0):>9.4f}" for leg in legs
        )
        write_data(
            f"{row['tokens']:<16}{row['bytes_per_token']:>12.1f}"
            f"{row['bytes_per_chunk']:>10,}{ndcg}"
        )


def _show_confidence(figures: dict[str, Any]) -> None:
    if not figures["reliability"]:
        return
    write_data(f"something is close: {figures['called_close']:.1%} of the queries")
    if "answer_removed" in figures:
        _show_others("with their answers kept out", figures["answer_removed"])
    for others in figures.get("unanswerable", ()):
        _show_others(f"of {visible(others['from'])}", others)
    write_data(f"{'confidence':<12}{'mean':>8}{'right':>8}{'hits':>8}")
    for row in figures["reliability"]:
        write_data(
            f"{row['from']:.1f} to {row['from'] + 0.1:.1f}  {row['confidence']:>8.3f}"
            f"{row['right']:>8.3f}{row['queries']:>8,}"
        )


def _show_others(words: str, figures: dict[str, Any]) -> None:
    write_data(
        f"{words}: {figures['called_close']:.1%}, "
        f"AUC of confidence {figures['auc']:.4f}"
    )
