"""The models commands: which checkpoints there are, and which one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, complete_model
from pplx_local.cli.show import say, visible, write_data, write_json
from pplx_local.cli.words import size_in_words

if TYPE_CHECKING:
    from pplx_local.config import Settings

app = typer.Typer(
    help="Which models there are, and which one is used.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


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


@app.command()
def use(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=complete_model,
            help="A checkpoint; auto for the best one here, none for keywords only.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Choose the model. The next update embeds what it needs."""
    with Invocation.of(ctx).open(write=True) as index:
        index.use_model(name)
        used = [one.name if one else None for one in index.profile]
    if as_json:
        write_json({"profile": dict(zip(("dense", "late"), used, strict=True))})
    say(f"The model is {' and '.join(sorted({str(u) for u in used if u})) or 'none'}.")
    say("To embed what it needs now: pplx-local update")
