"""The pull and import commands: how a checkpoint comes to this computer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pplx_local.cli.check import CheckpointName, checked_after, complete_checkpoint
from pplx_local.cli.guard import ERROR, INTERRUPTED
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, typed_path
from pplx_local.cli.show import say, write_json
from pplx_local.cli.transfer import Form, ProgressForm, Transfer
from pplx_local.errors import ModelError
from pplx_local.wording.amounts import count, size_in_words
from pplx_local.wording.visible import visible_path

if TYPE_CHECKING:
    from pplx_local.delivery import Offer
    from pplx_local.models import Checkpoint


def pull(
    ctx: typer.Context,
    name: CheckpointName,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Fetch it without asking.")
    ] = False,
    progress: ProgressForm = "auto",
    as_json: AsJson = False,
) -> None:
    """Fetch a checkpoint from the Hugging Face hub. The one command that needs it."""
    from pplx_local.models import lookup

    invocation = Invocation.of(ctx)
    checkpoint = lookup(name)
    home = invocation.settings().home
    path = _whole_already(checkpoint, home)
    if path:
        say(f"{checkpoint.name} is here already, in {visible_path(path)}.")
    else:
        path = _fetch(checkpoint, home, yes, progress)
    _end(invocation, checkpoint, path, as_json)


def _whole_already(checkpoint: Checkpoint, home: Path) -> Path | None:
    from pplx_local.models import find, verify

    path = find(checkpoint, home)
    if path is None:
        return None
    try:
        verify(checkpoint, path)
    except ModelError as error:
        if checkpoint.repository is None:
            raise
        say(f"{error}")
        return None
    return path


def _fetch(checkpoint: Checkpoint, home: Path, yes: bool, form: Form) -> Path:
    from pplx_local.delivery import offer, pull

    made = offer(checkpoint, home)
    for line in _offer_lines(made, home):
        say(line)
    if not yes:
        _ask()
    transfer = Transfer("fetched", made.size_bytes, made.kept_bytes, form=form)
    with transfer:
        path = pull(made, home, transfer.advance)
    say(f"{checkpoint.name} is in {visible_path(path)}, every file as published.")
    return path


def _offer_lines(offer: Offer, home: Path) -> list[str]:
    pinned = "" if offer.is_pinned else ", the newest: none is pinned"
    kept = offer.kept_bytes
    there = f", of which {size_in_words(kept)} were fetched before" if kept else ""
    return [
        f"{offer.checkpoint.title}: {offer.checkpoint.good_for}.",
        f"From {offer.repository} at {offer.endpoint}",
        f"Revision {offer.revision}{pinned}",
        f"Licence {offer.license}",
        f"{size_in_words(offer.size_bytes)} in {count(len(offer.files), 'file')}{there}; "
        f"{size_in_words(offer.free_bytes)} are free on the disk of {home}",
    ]


def _ask() -> None:
    """Go on only after a yes.

    Raises:
        ModelError: There is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ModelError(
            "Nothing is fetched without a yes, and there is no terminal to ask on. "
            "To fetch it: the same command with --yes"
        )
    sys.stderr.write("Fetch it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        say("Nothing was fetched.")
        raise typer.Exit


def import_model(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            parser=typed_path,
            show_default=False,
            help="A folder with config.json, tokenizer.json and safetensors.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            autocompletion=complete_checkpoint,
            help="Which checkpoint it is, where the folder does not tell.",
        ),
    ] = None,
    progress: ProgressForm = "auto",
    as_json: AsJson = False,
) -> None:
    """Copy a checkpoint from a folder, for computers without a network."""
    from pplx_local.delivery import examine, import_source

    invocation = Invocation.of(ctx)
    home = invocation.settings().home
    source = examine(folder.absolute(), name)
    size = size_in_words(source.size_bytes)
    say(f"{visible_path(folder)} is {source.checkpoint.title}, {size}.")
    try:
        with Transfer("copied", source.size_bytes, form=progress) as transfer:
            path = import_source(source, home, transfer.advance)
    except KeyboardInterrupt as error:
        say("Stopped. Nothing was imported.")
        raise typer.Exit(INTERRUPTED) from error
    say(f"{source.checkpoint.name} is in {visible_path(path)}.")
    _end(invocation, source.checkpoint, path, as_json)


def _end(
    invocation: Invocation, checkpoint: Checkpoint, path: Path, as_json: bool
) -> None:
    """Check what is here now, and say how to use it."""
    outcome = checked_after(invocation, checkpoint, path, quiet=as_json)
    if as_json:
        write_json(_delivered(checkpoint, path, outcome))
    if not outcome["ok"]:
        raise typer.Exit(ERROR)
    say(f"To search with it: pplx-local models use {checkpoint.name}")


def _delivered(
    checkpoint: Checkpoint, path: Path, outcome: dict[str, Any]
) -> dict[str, Any]:
    from pplx_local.models import read_manifest

    manifest = read_manifest(path)
    return {
        "name": checkpoint.name,
        "path": str(path),
        "source": manifest.source if manifest else checkpoint.package,
        "revision": manifest.revision if manifest else None,
        "check": outcome,
    }
