"""The commands that measure speed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, typed_path
from pplx_local.cli.progress import follow
from pplx_local.cli.show import say, write_data, write_json
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.bench import BenchResult


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


@bench.command("cuda")
def bench_cuda(
    ctx: typer.Context,
    folder: Folder = None,
    chunks: Annotated[
        int, typer.Option(min=1, help="Made-up chunks to score, where they fit.")
    ] = 1_000_000,
    as_json: AsJson = False,
) -> None:
    """MaxSim and the encoder on an NVIDIA GPU, beside its limits and beside others."""
    from pplx_local.backend.timing import Workload
    from pplx_local.bench import measure_cuda

    invocation = Invocation.of(ctx)
    settings, worker = invocation.settings(), invocation.workers()
    _write(measure_cuda(settings, folder, Workload(chunks), worker=worker), as_json)


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


@bench.command("read")
def bench_read(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=typed_path, help="Where the PDFs are."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pages a second of reading PDFs, beside pypdf in as many processes."""
    from pplx_local.bench import measure_read

    _write(measure_read(Invocation.of(ctx).settings(), folder), as_json)


@bench.command("search")
def bench_search(
    ctx: typer.Context,
    rows: Annotated[
        int, typer.Option(min=1_000, help="Vectors in the synthetic table.")
    ] = 1_000_000,
    chunks: Annotated[
        int, typer.Option(min=100, help="Made-up texts for the keywords to search.")
    ] = 10_000,
    as_json: AsJson = False,
) -> None:
    """Time of the exact shortlist, of keywords, and of searches in your own index."""
    from pplx_local.bench import measure_search

    invocation = Invocation.of(ctx)
    say(f"Making {rows:,} vectors and {chunks:,} texts first.")
    settings, worker = invocation.settings(), invocation.workers()
    _write(measure_search(settings, rows, chunks, worker=worker), as_json)


@bench.command("tui")
def bench_tui(
    ctx: typer.Context,
    folder: Folder = None,
    runs: Annotated[int, typer.Option(min=1, help="Starts of each kind.")] = 10,
    as_json: AsJson = False,
) -> None:
    """The interface: first frame, frames held up by indexing, keys to hits."""
    from pplx_local.bench import measure_interface

    _write(measure_interface(Invocation.of(ctx).settings(), folder, runs), as_json)


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
