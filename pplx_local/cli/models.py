"""The models commands: which checkpoints there are, and which one is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pplx_local.cli.check import check
from pplx_local.cli.fetch import import_model, pull
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import write_data, write_json
from pplx_local.cli.use import use
from pplx_local.wording.amounts import size_in_words
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.config import Settings

app = typer.Typer(
    help="Which models there are, how to get one, and which one is used.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the checkpoints that the program knows, what each takes and is good for."""
    settings = Invocation.of(ctx).settings()
    listed = _listed(settings)
    if as_json:
        write_json({"setting": settings.model, "models": listed})
        return
    for model in listed:
        for line in _lines(model):
            write_data(line)
    write_data(f"The setting is {visible(settings.model)!r}.")


app.command("use")(use)
app.command("pull")(pull)
app.command("import")(import_model)
app.command("check")(check)


def _listed(settings: Settings) -> list[dict[str, Any]]:
    from pplx_local.index.cost import memory_for
    from pplx_local.models import CATALOGUE, find, how_to_get, profile_of

    used = {one.name for one in profile_of(settings) if one}
    listed = []
    for checkpoint in CATALOGUE.values():
        found = find(checkpoint, settings.home)
        memory, memory_fp32 = memory_for(checkpoint, settings)
        listed.append(
            {
                "name": checkpoint.name,
                "title": checkpoint.title,
                "good_for": checkpoint.good_for,
                "roles": list(checkpoint.roles),
                "license": checkpoint.license,
                "parameters": checkpoint.n_parameters,
                "languages": list(checkpoint.languages),
                "bytes": _size_of(found) if found else checkpoint.size_bytes,
                "memory_bytes": memory,
                "memory_fp32_bytes": memory_fp32,
                "path": str(found) if found else None,
                "used": checkpoint.name in used,
                "install": how_to_get(checkpoint, settings.home),
            }
        )
    return listed


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _lines(model: dict[str, Any]) -> list[str]:
    """Say what a person chooses by: use, needs, and how to get it."""
    here = "used" if model["used"] else "here" if model["path"] else "not here"
    languages = ", ".join(model["languages"]) or "most"
    return [
        f"{'*' if model['used'] else ' '} {model['name']} ({here})",
        f"    for {model['good_for']}",
        f"    {' and '.join(model['roles'])}, "
        f"{model['parameters'] / 1e6:,.0f}M parameters, languages: {languages}, licence {model['license']}",
        f"    {_needs(model)}",
        *([] if model["path"] else [f"    {visible(model['install'])}"]),
    ]


def _needs(model: dict[str, Any]) -> str:
    where = "on the disk" if model["path"] else "to fetch"
    memory, more = model["memory_bytes"], model["memory_fp32_bytes"]
    at_most = f" ({size_in_words(more)} without bfloat16)" if more > memory else ""
    return (
        f"{size_in_words(model['bytes'])} {where}, about {size_in_words(memory)} of "
        f"memory{at_most}"
    )
