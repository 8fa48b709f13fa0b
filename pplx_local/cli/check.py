"""The check command: a checkpoint against figures that others published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pplx_local.cli.as_json import jsonable
from pplx_local.cli.guard import ERROR
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import flush_data, say, write_data, write_json
from pplx_local.errors import PplxLocalError
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from pplx_local.delivery import Finding
    from pplx_local.models import Checkpoint


def complete_checkpoint(incomplete: str) -> list[str]:
    """Offer the names of checkpoints."""
    from pplx_local.models import CATALOGUE

    return [name for name in CATALOGUE if name.startswith(incomplete)]


CheckpointName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        show_default=False,
        autocompletion=complete_checkpoint,
        help="A checkpoint; `models list` names them.",
    ),
]


def check(ctx: typer.Context, name: CheckpointName, as_json: AsJson = False) -> None:
    """Compute what others have published of a checkpoint, and compare."""
    from pplx_local.models import lookup

    outcome = checked(Invocation.of(ctx), lookup(name), quiet=as_json)
    if as_json:
        write_json(outcome)
    raise typer.Exit(0 if outcome["ok"] else ERROR)


def checked(
    invocation: Invocation, checkpoint: Checkpoint, *, quiet: bool
) -> dict[str, Any]:
    """Check, and say each finding as it comes unless `quiet`.

    Returns:
        The object of `models check --json`.
    """
    from pplx_local.delivery import check as run

    settings, worker = invocation.settings(), invocation.workers()
    with run(checkpoint, settings, worker) as model:
        if not quiet:
            where = f"{model.info.backend} on {model.info.device}"
            write_data(f"{checkpoint.name} in {model.info.dtype} by {where}")
        findings = [_shown(finding, quiet) for finding in model.findings]
    if not quiet:
        _sum_up(findings)
    return {
        "name": checkpoint.name,
        "path": str(model.model_dir),
        "backend": model.info.backend,
        "device": model.info.device,
        "dtype": model.info.dtype,
        "ok": all(finding.ok for finding in findings),
        "findings": jsonable(findings),
    }


def _shown(finding: Finding, quiet: bool) -> Finding:
    if not quiet:
        verdict = "ok" if finding.ok else "fail"
        write_data(f"{verdict:<5} {visible(finding.what)}")
        write_data(f"{'':<6}expected {visible(finding.expected)}")
        write_data(f"{'':<6}found    {visible(finding.found)}")
        flush_data()  # the next one may take a while
    return finding


def _sum_up(findings: list[Finding]) -> None:
    for source in dict.fromkeys(finding.source for finding in findings):
        write_data(f"Figures of {source}")
    wrong = sum(not finding.ok for finding in findings)
    if not findings:
        write_data("It runs. No figures are known to hold it to.")
    elif wrong:
        write_data(f"{wrong} of {len(findings)} do not fit: do not trust its answers.")
    else:
        write_data("It computes what was published.")


def checked_after(
    invocation: Invocation, checkpoint: Checkpoint, path: Path, *, quiet: bool
) -> dict[str, Any]:
    """Check what was just fetched or copied; that it cannot run here is said.

    Returns:
        As `checked`, with "error" in place of what was found.
    """
    try:
        return checked(invocation, checkpoint, quiet=quiet)
    except PplxLocalError as error:
        say(f"{checkpoint.name} is whole in {path}, but was not checked: {error}")
        return {"name": checkpoint.name, "ok": False, "error": str(error)}
