"""Indexing that a screen begins and that goes on when the screen is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pplx_local.errors import PplxLocalError
from pplx_local.wording.amounts import count
from pplx_local.wording.update import report_lines

if TYPE_CHECKING:
    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.daemon.followed import Followed
    from pplx_local.records import Progress
    from pplx_local.tui.app import PplxLocal

_LANE = "indexing"


def add(app: PplxLocal, paths: Sequence[Path]) -> None:
    """Register folders and index them."""
    app.run_worker(_add(app, paths), group="adding", exit_on_error=False)


def update(app: PplxLocal, paths: Sequence[Path] | None) -> None:
    """Look through folders again, or through all."""
    app.run_worker(_update(app, paths), group="adding", exit_on_error=False)


async def _add(app: PplxLocal, paths: Sequence[Path]) -> None:
    registered = []
    for path in paths:  # apart from indexing: what is refused is told at once
        try:
            await app.link.ask("folders", partial(_register, path))
        except PplxLocalError as error:
            app.tell(error)
        else:
            registered.append(path)
    await app.look()
    if registered:
        await _update(app, registered)


def _register(path: Path, daemon: RemoteIndex) -> None:
    daemon.add_folder(path)


async def _update(app: PplxLocal, paths: Sequence[Path] | None) -> None:
    def begin(daemon: RemoteIndex) -> Followed:
        return daemon.update(paths)

    try:
        done = await app.link.follow(_LANE, begin, _say_nothing)
    except PplxLocalError as error:
        app.tell(error)
        return
    _say(app, done)
    await app.look()


def _say_nothing(progress: Progress) -> None:
    """The daemon's status says it, whoever asked for the work."""


def _say(app: PplxLocal, done: Followed) -> None:
    app.notify("\n".join(report_lines(done.report)), markup=False)
    if done.failures:
        failed = count(len(done.failures), "file")
        app.tell(f"{failed} could not be read: F4 says which, and why.")
    if done.encoder_error:
        app.tell(done.encoder_error)
