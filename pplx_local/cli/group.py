"""The commands as one group that never shows a traceback."""

from __future__ import annotations

from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from pplx_local.cli.guard import guarded
from pplx_local.cli.invocation import Invocation

_ORDERLY = (typer.Exit, typer.Abort, typer.TyperException)


class GuardedGroup(TyperGroup):
    """Runs each command under the guard."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command."""
        invocation = ctx.ensure_object(Invocation)
        run = partial(super().invoke, ctx)
        return guarded(invocation, run, _ORDERLY)
