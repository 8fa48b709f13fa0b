"""The program: what can be said before a command, and the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pplx_local import __version__
from pplx_local.cli import (
    background,
    checkup,
    evaluate,
    folders,
    measure,
    models,
    opening,
    search,
    settings,
    state,
)
from pplx_local.cli.group import GuardedGroup
from pplx_local.cli.guard import ERROR
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import typed_path
from pplx_local.cli.show import say, write_data

app = typer.Typer(
    name="pplx-local",
    cls=GuardedGroup,
    help="Private search over your own folders. Nothing leaves this computer.",
    epilog="Exit codes: 0 found or done, 1 nothing found, 2 error, "
    "3 done but some files failed, 130 stopped by Ctrl-C.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(folders.add)
app.command()(folders.remove)
app.command()(folders.update)
app.command()(folders.purge)
app.command()(folders.backup)
app.command()(search.search)
app.command()(search.similar)
app.command("open")(opening.open_place)
app.command()(state.status)
app.command()(state.files)
app.command()(settings.settings)
app.command()(checkup.doctor)
app.command()(background.pause)
app.command()(background.resume)
app.add_typer(background.app, name="daemon")
app.add_typer(models.app, name="models")
app.command("eval")(evaluate.evaluate)
app.add_typer(measure.bench, name="bench")


def _print_version(wanted: bool) -> None:
    if wanted:
        write_data(f"pplx-local {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=typed_path,
            envvar="PPLX_LOCAL_HOME",
            help="Where the index, the settings and the logs live.",
        ),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What runs the model: mlx or torch; auto for this computer's own.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Where it runs: metal, cuda, mps, cpu; auto for the best. One that is "
            "not here is refused.",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show tracebacks of errors.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show it."
        ),
    ] = False,
) -> None:
    """Private search over your own folders. Nothing leaves this computer."""
    invocation = ctx.ensure_object(Invocation)
    invocation.home = home.absolute() if home else None
    invocation.backend, invocation.device = backend, device
    invocation.verbose, invocation.command = verbose, ctx.invoked_subcommand
    if ctx.invoked_subcommand is None:
        write_data(ctx.get_help())


def main() -> None:
    """Run the program."""
    try:
        app()
    except OSError as error:  # of help, which is written before a command is guarded
        say(f"pplx-local: Cannot write the output: {error.strerror}.")
        raise SystemExit(ERROR) from error
