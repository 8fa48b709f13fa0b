"""Commands that say what is indexed: status and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pplx_local.cli.as_json import file_json, jsonable
from pplx_local.cli.guard import NOTHING_FOUND
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, StateChoice, typed_path
from pplx_local.cli.show import json_path, write_data, write_json
from pplx_local.wording.amounts import (
    age_in_words,
    counts_in_words,
    line_of,
)
from pplx_local.wording.holding import (
    coverage_in_words,
    embedded_in_words,
    holdings_in_words,
    profile_in_words,
    sizes_in_words,
)
from pplx_local.wording.visible import visible, visible_path
from pplx_local.wording.working import (
    NO_DAEMON,
    daemon_lines,
    fresh_line,
    queue_line,
    watching_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pplx_local.records import FileRecord, Status


def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say what the index holds, how fresh and how complete it is."""
    invocation = Invocation.of(ctx)
    with invocation.daemon() or invocation.open() as index:
        found = index.status()
    if as_json:
        write_json(jsonable(found))
        return
    for line in status_lines(found):
        write_data(line)


def status_lines(status: Status) -> Iterator[str]:
    """Say a status in lines of a name and what it is."""
    yield line_of("Home", visible(status.home))
    for folder in status.folders:
        when = f"looked through {age_in_words(folder.scanned_ns)}"
        away = "" if folder.reachable else ", away now"
        how = watching_in_words(folder.watching)
        yield line_of("Folder", f"{visible_path(folder.path)}, {when}{away}{how}")
        yield line_of("", counts_in_words(folder.states.items()))
    if status.folders:
        yield fresh_line(status)
    else:
        yield line_of("Folder", "none yet; add one: pplx-local add PATH")
    yield line_of("Holds", holdings_in_words(status))
    yield line_of("Model", profile_in_words(status.profile))
    if status.change:
        yield line_of("", f"to become {profile_in_words(status.change.profile)}")
        yield line_of("", f"embedded {embedded_in_words(status.change)}")
        goes_on = (
            "the daemon goes on with it"
            if status.daemon
            else "to go on: pplx-local update"
        )
        yield line_of("", goes_on)
    yield line_of("Covers", coverage_in_words(status))
    for reason in dict.fromkeys(status.outdated.values()):
        yield line_of("", visible(reason))
    yield line_of("Disk", sizes_in_words(status))
    yield queue_line(status.queue)
    if status.daemon:
        yield from daemon_lines(status.daemon)
    else:
        yield line_of("Daemon", NO_DAEMON)


def files(
    ctx: typer.Context,
    state: Annotated[
        StateChoice | None, typer.Option(help="Only files in this state.")
    ] = None,
    why: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            parser=typed_path,
            help="What became of one path, and why.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the files that were seen, with state and reason."""
    with Invocation.of(ctx).open() as index:
        if why is not None:
            _why(why, index.why(why), as_json)
        elif not _list(index.files(state), as_json):
            raise typer.Exit(NOTHING_FOUND)


def _why(path: Path, reason: str, as_json: bool) -> None:
    if as_json:
        write_json({**json_path(bytes(path.absolute())), "why": reason})
    else:
        write_data(f"{visible_path(path.absolute())}: {visible(reason)}")


def _list(files: Iterable[FileRecord], as_json: bool) -> int:
    """Write the files; return how many there were."""
    if as_json:
        listed = [file_json(file) for file in files]
        write_json({"files": listed})
        return len(listed)
    n_files = 0
    for file in files:
        is_more = file.reason not in (None, file.state)
        reason = f"  ({visible(str(file.reason))})" if is_more else ""
        write_data(f"{file.state:<12}{visible_path(file.path)}{reason}")
        n_files += 1
    return n_files
