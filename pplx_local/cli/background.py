"""Commands of the background indexer: daemon, pause and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pplx_local.cli.as_json import jsonable
from pplx_local.cli.guard import NOTHING_FOUND
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import json_path, say, write_data, write_json
from pplx_local.errors import DaemonError
from pplx_local.wording.visible import visible
from pplx_local.wording.working import (
    NO_DAEMON,
    WITH_WINDOW,
    daemon_lines,
    queue_line,
    watched_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.records import Status

app = typer.Typer(
    help="The background indexer: save a file, find it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def run(
    ctx: typer.Context,
    with_parent: Annotated[
        bool,
        typer.Option(
            "--with-parent",
            hidden=True,
            help="End when stdin does: for a program that should leave no daemon behind, "
            "even when it is killed.",
        ),
    ] = False,
) -> None:
    """Watch, index and answer until Ctrl-C; what a service manager calls."""
    from pplx_local.daemon.run import run_daemon

    settings = Invocation.of(ctx).settings()
    raise typer.Exit(run_daemon(settings, with_parent=with_parent))


@app.command()
def start(ctx: typer.Context) -> None:
    """Start it in the background; one that runs already goes on."""
    from pplx_local.daemon.launch import launch

    invocation = Invocation.of(ctx)
    if running := invocation.daemon():
        invocation.refuse_others(running)
    home = invocation.settings().home  # settings that are wrong should be told here
    with running or launch(home, invocation.flags()).daemon as daemon:
        said = "runs already" if running else "started"
        say(f"The daemon {said}, process {daemon.pid}.")
        if running and _ends_with_window(daemon):
            say(f"It {WITH_WINDOW}. For one that stays, say this again after that.")


def _ends_with_window(daemon: RemoteIndex) -> bool:
    """Ask it; one of another version may understand no more than `hello` and `stop`."""
    try:
        found = daemon.status().daemon
    except DaemonError:
        return False
    return found is not None and found.with_parent


@app.command()
def stop(ctx: typer.Context) -> None:
    """End it; what was done is kept."""
    from pplx_local.daemon.client import stop
    from pplx_local.daemon.launch import wait_for_end

    invocation = Invocation.of(ctx)
    pid = stop(invocation.home_folder())
    if pid is None:
        say("No daemon runs.")
        return
    wait_for_end(invocation.home_folder(), pid)
    say("The daemon ended. What was done is kept.")


@app.command()
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say what it does, and how each folder is watched; exit code 1 without one."""
    found = _status(Invocation.of(ctx))
    if as_json:
        write_json(_as_json(found))
    elif found and found.daemon:
        for line in (*daemon_lines(found.daemon), queue_line(found.queue)):
            write_data(line)
        for line in watched_lines(found):
            write_data(line)
    else:
        write_data(_why_none(Invocation.of(ctx).home_folder()))
    raise typer.Exit(0 if found else NOTHING_FOUND)


def _why_none(home: Path) -> str:
    from pplx_local.daemon.claim import claimed_by
    from pplx_local.daemon.launch import silence

    pid = claimed_by(home)
    return visible(silence(home, pid).rstrip()) if pid else NO_DAEMON


def _status(invocation: Invocation) -> Status | None:
    daemon = invocation.daemon()
    if daemon is None:
        return None
    with daemon:
        return daemon.status()


def _as_json(found: Status | None) -> dict[str, Any]:
    if found is None:
        return {"daemon": None, "queue": None, "folders": []}
    watched = [
        {**json_path(folder.path), "watching": jsonable(folder.watching)}
        for folder in found.folders
    ]
    return {
        "daemon": jsonable(found.daemon),
        "queue": jsonable(found.queue),
        "folders": watched,
    }


@app.command()
def install(ctx: typer.Context) -> None:
    """Have the system start it at login, and again when it fails."""
    from pplx_local.daemon import service

    for line in service.install(Invocation.of(ctx).settings()):
        say(line)


@app.command()
def uninstall(ctx: typer.Context) -> None:
    """Have the system start it no more."""
    from pplx_local.daemon import service

    for line in service.uninstall(Invocation.of(ctx).settings()):
        say(line)


def pause(ctx: typer.Context) -> None:
    """Leave changes for later, until resume. Searches go on."""
    _set_paused(Invocation.of(ctx), on=True)
    say("Paused: changes wait. To go on: pplx-local resume")


def resume(ctx: typer.Context) -> None:
    """Take up again what waits since pause."""
    _set_paused(Invocation.of(ctx), on=False)
    say("Indexing in the background goes on.")


def _set_paused(invocation: Invocation, *, on: bool) -> None:
    from pplx_local.daemon.pausing import set_paused

    daemon = invocation.daemon()
    if daemon is None:
        set_paused(invocation.home_folder(), on)
        say(NO_DAEMON)
        return
    with daemon:
        (daemon.pause if on else daemon.resume)()
