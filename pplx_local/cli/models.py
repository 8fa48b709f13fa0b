"""The models commands: which checkpoints there are, and which one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import visible, write_data, write_json
from pplx_local.cli.use import use
from pplx_local.cli.words import size_in_words

if TYPE_CHECKING:
    from pplx_local.config import Settings

app = typer.Typer(
    help="Which models there are, and which one is used.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("use")(use)


@app.command("list")
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the checkpoints that the program knows."""
    settings = Invocation.of(ctx).settings()
    listed = _listed(settings)
    if as_json:
        write_json({"setting": settings.model, "models": listed})
        return
    for model in listed:
        write_data(_line(model))
        if model["path"] is None:
            write_data(f"{'':<4}{model['install']}")
    write_data(f"The setting is {visible(settings.model)!r}.")


def _listed(settings: Settings) -> list[dict[str, Any]]:
    from pplx_local.models import CATALOGUE, find, resolve

    used = {one.name for one in resolve(settings.model, settings.home) if one}
    return [
        {
            "name": checkpoint.name,
            "title": checkpoint.title,
            "roles": list(checkpoint.roles),
            "license": checkpoint.license,
            "parameters": checkpoint.n_parameters,
            "bytes": checkpoint.size_bytes,
            "languages": list(checkpoint.languages),
            "path": str(found) if (found := find(checkpoint, settings.home)) else None,
            "used": checkpoint.name in used,
            "install": checkpoint.install,
        }
        for checkpoint in CATALOGUE.values()
    ]


def _line(model: dict[str, Any]) -> str:
    used = "*" if model["used"] else " "
    here = "here" if model["path"] else "not here"
    return (
        f"{used} {model['name']:<24} {' and '.join(model['roles'])}, "
        f"{model['parameters'] / 1e6:,.0f}M parameters, "
        f"{size_in_words(model['bytes'])}, {model['license']}, {here}"
    )
