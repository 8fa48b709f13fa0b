"""Commands that change what is indexed: add, remove, update, purge, backup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pplx_local.cli.as_json import file_json, jsonable
from pplx_local.cli.guard import ERROR, SOME_FAILED
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, typed_path
from pplx_local.cli.progress import follow
from pplx_local.cli.report import say_report, show_survey
from pplx_local.cli.show import json_path, say, visible_path, write_json
from pplx_local.cli.words import count, size_in_words
from pplx_local.errors import FolderError

if TYPE_CHECKING:
    from pplx_local.index import Index
    from pplx_local.records import Survey

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", parser=typed_path, show_default=False),
]


def add(
    ctx: typer.Context,
    paths: Paths,
    no_index: Annotated[
        bool, typer.Option("--no-index", help="Register only; index with update.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what there is and what it would cost."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register folders or files, and index them."""
    invocation = Invocation.of(ctx)
    if dry_run:
        _dry_run(invocation, paths, as_json)
        return
    with invocation.open(write=True) as index:
        folders, errors = _register(index, paths)
        code = 0
        if folders and no_index:
            for folder in folders:
                say(f"Registered {visible_path(folder)}.")
        elif folders:
            code = _update(index, folders, as_json)
    raise typer.Exit(_say_errors(errors) or code)


def _register(
    index: Index, paths: Sequence[Path]
) -> tuple[list[Path], list[FolderError]]:
    """Register each path; one that cannot be does not stop the others."""
    folders, errors = [], []
    for path in paths:
        try:
            index.add_folder(path)
        except FolderError as error:
            errors.append(error)
        else:
            folders.append(path)
    return folders, errors


def _say_errors(errors: Sequence[FolderError]) -> int:
    for error in errors:
        say(f"pplx-local: {error}")
    return ERROR if errors else 0


def _update(index: Index, paths: Sequence[Path] | None, as_json: bool) -> int:
    """Bring the index up to date, say what was done, and return the exit code."""
    from pplx_local.index.library import NO_MODEL

    update = index.update(paths)
    follow(update)
    say_report(update.report, update.failures)
    if index.settings.model != "none" and not any(index.profile):
        say(f"Answers come from keywords alone: {NO_MODEL}")
    if as_json:
        failed = [file_json(file) for file in update.failures]
        write_json(
            {
                "report": jsonable(update.report),
                "failures": failed,
                "encoder_error": update.encoder_error,
            }
        )
    return SOME_FAILED if update.failures or update.encoder_error else 0


def _dry_run(invocation: Invocation, paths: Sequence[Path], as_json: bool) -> None:
    from pplx_local.index import survey

    settings = invocation.settings()
    surveys: list[Survey] = []
    errors: list[FolderError] = []
    for path in paths:
        try:
            surveys.append(survey(path, settings))
        except FolderError as error:
            errors.append(error)
    if as_json:
        write_json({"surveys": [jsonable(survey) for survey in surveys]})
    else:
        for found in surveys:
            show_survey(found)
    raise typer.Exit(_say_errors(errors))


def remove(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", parser=typed_path, show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Forget a folder: its files stop answering at once. The files stay.

    What was stored of them goes from the disk a day later, or now with `purge`.
    """
    with Invocation.of(ctx).open(write=True) as index:
        forgotten = index.remove_folder(path)
    say(f"Forgot {visible_path(path)} and {count(forgotten, 'file')} in it.")
    say("To remove their words from the disk now: pplx-local purge")
    if as_json:
        write_json({"files": forgotten})


def update(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", parser=typed_path, show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Index what is new or changed, in all registered folders or at these paths."""
    with Invocation.of(ctx).open(write=True) as index:
        code = _update(index, paths or None, as_json)
        if not index.status().folders:
            say("No folder is registered. To add one: pplx-local add PATH")
    raise typer.Exit(code)


def purge(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Remove from the disk what no file needs any more."""
    with Invocation.of(ctx).open(write=True) as index:
        documents, size_bytes = index.purge()
    size = size_in_words(max(size_bytes, 0))
    say(f"Removed {count(documents, 'document')} and gave {size} back.")
    if as_json:
        write_json({"documents": documents, "bytes": size_bytes})


def backup(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=typed_path, show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the index into one file, also while it is in use."""
    target = file.absolute()
    with Invocation.of(ctx).open() as index:
        index.backup(target)
    size_bytes = target.stat().st_size
    say(f"Wrote {visible_path(target)}, {size_in_words(size_bytes)}.")
    if as_json:
        write_json({**json_path(bytes(target)), "bytes": size_bytes})
