"""The command that chooses a model: what it will cost comes before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pplx_local.cli.as_json import jsonable
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, complete_model
from pplx_local.cli.show import say, write_json
from pplx_local.daemon.client import RemoteIndex
from pplx_local.wording.models import estimate_lines

if TYPE_CHECKING:
    from pplx_local.index import Index


def use(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=complete_model,
            help="A checkpoint, or two as 'A + B'; auto for the best one here, none "
            "for keywords only.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Choose the model. What answers now goes on until updates have embedded all."""
    with Invocation.of(ctx).library(write=True) as index:
        chosen = choose_model(index, name)
    if as_json:
        write_json(chosen)


def choose_model(index: Index | RemoteIndex, name: str) -> dict[str, Any]:
    """Say what a model will cost, and choose it.

    Returns:
        The object of `models use --json`.
    """
    estimate = index.estimate_model(name)
    for line in estimate_lines(estimate, by_daemon=isinstance(index, RemoteIndex)):
        say(line)
    removed = index.use_model(name)
    if removed:
        say(f"Removed the vectors of {' and '.join(removed)}.")
        say("To give their room back to the disk now: pplx-local purge")
    return {**jsonable(estimate), "removed": removed}
