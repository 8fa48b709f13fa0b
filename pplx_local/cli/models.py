"""The models commands: which checkpoints there are, and which one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pplx_local.cli.as_json import jsonable
from pplx_local.cli.check import check
from pplx_local.cli.fetch import import_model, pull
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import write_data, write_json
from pplx_local.cli.use import use
from pplx_local.wording.models import kind_in_words, needs_in_words
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.records import ModelRecord

app = typer.Typer(
    help="Which models there are, how to get one, and which one is used.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the checkpoints that the program knows, what each takes and is good for."""
    from pplx_local.index import list_models

    listed = list_models(Invocation.of(ctx).settings())
    if as_json:
        write_json(jsonable(listed))
        return
    for model in listed.models:
        for line in _lines(model):
            write_data(line)
    write_data(f"The setting is {visible(listed.setting)!r}.")


app.command("use")(use)
app.command("pull")(pull)
app.command("import")(import_model)
app.command("check")(check)


def _lines(model: ModelRecord) -> list[str]:
    """Say what a person chooses by: use, needs, and how to get it."""
    here = "used" if model.used else "here" if model.path else "not here"
    return [
        f"{'*' if model.used else ' '} {model.name} ({here})",
        f"    for {model.good_for}",
        f"    {kind_in_words(model)}",
        f"    {needs_in_words(model)}",
        *([] if model.path else [f"    {visible(model.install)}"]),
    ]
