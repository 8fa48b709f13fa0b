"""The doctor command: each check as it ends, with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pplx_local.cli.as_json import jsonable
from pplx_local.cli.guard import ERROR
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import flush_data, write_data, write_json
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.doctor import Check


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check this computer, the index and the models, with a real embedding."""
    from pplx_local.doctor import examine

    invocation = Invocation.of(ctx)
    checks: list[Check] = []
    for check in examine(invocation.settings(), worker=invocation.workers()):
        checks.append(check)
        if not as_json:
            _show(check)
    failed = any(check.outcome == "fail" for check in checks)
    if as_json:
        write_json({"ok": not failed, "checks": jsonable(checks)})
    raise typer.Exit(ERROR if failed else 0)


def _show(check: Check) -> None:
    write_data(f"{check.outcome:<5} {check.name:<22} {visible(check.detail)}")
    if check.remedy:
        write_data(f"{'':<6}{'':<22} -> {visible(check.remedy)}")
    flush_data()  # the next check may take a while
