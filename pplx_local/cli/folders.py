"""Commands that change what is indexed: add, remove, update, purge, backup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pplx_local.cli.as_json import file_json, jsonable
from pplx_local.cli.guard import ERROR, SOME_FAILED
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, typed_path
from pplx_local.cli.progress import follow
from pplx_local.cli.report import say_passed_over, say_report, show_survey
from pplx_local.cli.show import json_path, say, write_json
from pplx_local.daemon.client import RemoteIndex
from pplx_local.errors import FolderError
from pplx_local.wording.amounts import count, size_in_words
from pplx_local.wording.visible import visible_path

if TYPE_CHECKING:
    from pplx_local.config import Settings
    from pplx_local.daemon.followed import Followed
    from pplx_local.index import Index, Update
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
    refused: Sequence[str]
    with invocation.library(write=True) as index:
        if no_index:
            code, (folders, refused) = 0, _register(index, paths)
            for folder in folders:
                say(f"Registered {visible_path(folder)}.")
        else:
            code, refused = _index_all(index, paths, invocation, as_json)
    raise typer.Exit(_say_errors(refused) or code)


def _index_all(
    index: Index | RemoteIndex,
    paths: Sequence[Path],
    invocation: Invocation,
    as_json: bool,
) -> tuple[int, Sequence[str]]:
    """Register and index; return the exit code, and why some paths were refused."""
    if isinstance(index, RemoteIndex):
        work = index.add(paths)
        follow(work)
        all_refused = len(work.refused) == len(paths)
        code = 0 if all_refused else _tell(work, invocation, as_json)
        say_passed_over(index, paths)
        return code, work.refused
    folders, refused = _register(index, paths)
    if not folders:
        return 0, refused
    update = index.update(folders)
    follow(update)
    code = _tell(update, invocation, as_json)
    say_passed_over(index, folders)
    return code, refused


def _register(
    index: Index | RemoteIndex, paths: Sequence[Path]
) -> tuple[list[Path], list[str]]:
    """Register each path; one that cannot be does not stop the others."""
    folders, refused = [], []
    for path in paths:
        try:
            index.add_folder(path)
        except FolderError as error:
            refused.append(str(error))
        else:
            folders.append(path)
    return folders, refused


def _say_errors(errors: Iterable[str]) -> int:
    code = 0
    for error in errors:
        say(f"pplx-local: {error}")
        code = ERROR
    return code


def _tell(work: Update | Followed, invocation: Invocation, as_json: bool) -> int:
    """Say what was done, and return the exit code."""
    say_report(work.report, work.failures)
    _say_without_model(invocation.settings())
    if as_json:
        write_json(
            {
                "report": jsonable(work.report),
                "failures": [file_json(file) for file in work.failures],
                "encoder_error": work.encoder_error,
            }
        )
    return SOME_FAILED if work.failures or work.encoder_error else 0


def _say_without_model(settings: Settings) -> None:
    from pplx_local.models import profile_of

    if settings.model == "none" or any(profile_of(settings)):
        return
    from pplx_local.index.library import NO_MODEL

    say(f"Answers come from keywords alone: {NO_MODEL}")


def _dry_run(invocation: Invocation, paths: Sequence[Path], as_json: bool) -> None:
    from pplx_local.index import Surveying

    settings = invocation.settings()
    surveys: list[Survey] = []
    errors: list[str] = []
    for path in paths:
        try:
            surveying = Surveying(path, settings)
        except FolderError as error:
            errors.append(str(error))
        else:
            follow(surveying)
            surveys.append(surveying.found)
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
    with Invocation.of(ctx).library(write=True) as index:
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
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Read files that failed once more."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Index what is new or changed, in all registered folders or at these paths."""
    invocation = Invocation.of(ctx)
    with invocation.library(write=True) as index:
        if retry_failed:
            again = index.retry(paths or None)
            say(f"{count(again, 'file')} that failed will be read once more.")
        work = index.update(paths or None)
        follow(work)
        code = _tell(work, invocation, as_json)
        say_passed_over(index, paths or [])
        if not index.status().folders:
            say("No folder is registered. To add one: pplx-local add PATH")
    raise typer.Exit(code)


def purge(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Remove from the disk what no file needs any more."""
    with Invocation.of(ctx).library(write=True) as index:
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
    """Copy the index into one file, also while it is in use.

    To go back to it: end the daemon, delete index.db, index.db-wal and index.db-shm in the
    home, and copy the file there as index.db.
    """
    target = file.absolute()
    with Invocation.of(ctx).open() as index:
        index.backup(target)
    size_bytes = target.stat().st_size
    say(f"Wrote {visible_path(target)}, {size_in_words(size_bytes)}.")
    if as_json:
        write_json({**json_path(bytes(target)), "bytes": size_bytes})
