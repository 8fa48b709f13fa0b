"""The command that opens what was found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pplx_local.cli.place import typed_place
from pplx_local.cli.show import say

if TYPE_CHECKING:
    from pplx_local.errors import OpenError
    from pplx_local.opener import Command, Wish

_PATIENCE_S = 1.5
"""A program with windows that cannot do it says so by then."""


def open_place(
    place: Annotated[
        str,
        typer.Argument(
            metavar="PATH[:LINE]",
            show_default=False,
            help="A file, and a line of it; a column may follow.",
        ),
    ],
    page: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The page of a PDF.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show it in the file manager.")
    ] = False,
    editor: Annotated[
        bool, typer.Option("--editor", help="In $VISUAL or $EDITOR; text alone.")
    ] = False,
) -> None:
    """Show a file where something was found, and never run it."""
    from pplx_local.opener import Environment, Where, plan

    path, line, column = typed_place(place)
    where = Where(line, column, page)
    command = plan(os.fsencode(path), where, _wish(reveal, editor), Environment.here())
    if command.notice:
        say(command.notice)
    _do(command)


def _wish(reveal: bool, editor: bool) -> Wish:
    if reveal and editor:
        raise typer.BadParameter("it excludes --editor", param_hint="--reveal")
    return "reveal" if reveal else "edit" if editor else "open"


def _do(command: Command) -> None:
    from pplx_local.opener import run, spawn

    if command.in_terminal:
        run(command)
        return
    failures: list[OpenError] = []
    spawn(command, failures.append).join(_PATIENCE_S)
    if failures:
        raise failures[0]
