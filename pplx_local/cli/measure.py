"""Commands that measure: eval and bench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, typed_path
from pplx_local.cli.progress import follow
from pplx_local.cli.show import say, visible, write_data, write_json
from pplx_local.cli.words import size_in_words

if TYPE_CHECKING:
    from pplx_local.bench import BenchResult


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
    late_chunking: Annotated[
        Literal["on", "off"] | None,
        typer.Option(
            help="Whether a document's chunks are read together; default: on for models "
            "that were trained for it."
        ),
    ] = None,
) -> None:
    """Measure the search on a collection with relevance judgments."""
    from pplx_local.evaluate import Evaluation

    invocation = Invocation.of(ctx)
    evaluation = Evaluation(
        directory,
        invocation.settings(),
        units=units,
        legs=[leg.strip() for leg in legs.split(",")] if legs else None,
        ablate=ablate,
        late_chunking=None if late_chunking is None else late_chunking == "on",
        worker=invocation.workers(),
    )
    follow(evaluation)
    if as_json:
        write_json(evaluation.result)
    else:
        _show_evaluation(evaluation.result)


def _show_evaluation(result: dict[str, Any]) -> None:
    write_data(
        f"{visible(result['collection'])}: {result['documents']:,} documents, "
        f"{result['queries']:,} queries, {size_in_words(result['index_bytes'])}"
    )
    names = list(next(iter(result["metrics"].values()), {}))
    write_data(f"{'':<10}" + "".join(f"{name:>12}" for name in names))
    for leg, metrics in result["metrics"].items():
        values = "".join(f"{metrics[name]:>12.4f}" for name in names)
        write_data(f"{visible(leg):<10}{values}")
    latency = result["latency_ms"]
    write_data(f"latency: p50 {latency['p50']:.0f} ms, p95 {latency['p95']:.0f} ms")


bench = typer.Typer(
    help="Measure speed: the same work side by side in one run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", parser=typed_path, help="Texts to work on; default: made up."
    ),
]


@bench.command("encode")
def bench_encode(
    ctx: typer.Context, folder: Folder = None, as_json: AsJson = False
) -> None:
    """Tokens a second of the encoder, beside sentence-transformers."""
    from pplx_local.bench import measure_encode

    invocation = Invocation.of(ctx)
    settings, worker = invocation.settings(), invocation.workers()
    _write(measure_encode(settings, folder, worker=worker), as_json)


@bench.command("index")
def bench_index(
    ctx: typer.Context, folder: Folder = None, as_json: AsJson = False
) -> None:
    """Tokens a second of a whole update, beside the encoder alone."""
    from pplx_local.bench import measure_index

    invocation = Invocation.of(ctx)
    settings, worker = invocation.settings(), invocation.workers()
    result = measure_index(settings, folder, follow=follow, worker=worker)
    _write(result, as_json)


@bench.command("search")
def bench_search(
    ctx: typer.Context,
    rows: Annotated[
        int, typer.Option(min=1_000, help="Vectors in the synthetic table.")
    ] = 1_000_000,
    as_json: AsJson = False,
) -> None:
    """Time of the exact shortlist, and of whole searches in your own index."""
    from pplx_local.bench import measure_search

    invocation = Invocation.of(ctx)
    say(f"Making {rows:,} vectors first.")
    settings, worker = invocation.settings(), invocation.workers()
    _write(measure_search(settings, rows, worker=worker), as_json)


@bench.command("start")
def bench_start(
    ctx: typer.Context,
    folder: Folder = None,
    runs: Annotated[int, typer.Option(min=1, help="Searches of each kind.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Time of whole searches from a shell, through the daemon and without one."""
    from pplx_local.bench import measure_start

    invocation = Invocation.of(ctx)
    settings, worker = invocation.settings(), invocation.workers()
    result = measure_start(settings, folder, runs, follow=follow, worker=worker)
    _write(result, as_json)


def _write(result: BenchResult, as_json: bool) -> None:
    if as_json:
        write_json(result.as_json())
        return
    write_data(f"{result.bench} on {visible(result.machine)}")
    for row in result.rows:
        against = "" if row.ratio is None else f"  {row.ratio:.2f} x {row.against}"
        write_data(f"  {visible(row.what):<44}{row.words:>12} {row.unit}{against}")
