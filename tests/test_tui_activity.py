from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from textual.pilot import Pilot

from pplx_local.records import (
    Conditions,
    DaemonStatus,
    FileEvent,
    FileRecord,
    ModelChange,
    Progress,
    QueueStatus,
    Status,
)
from pplx_local.tui.activity import ActivityScreen
from pplx_local.tui.activity.facts import facts
from pplx_local.tui.activity.now import now
from pplx_local.tui.activity.row import event_line, failure_lines
from pplx_local.tui.app import PplxLocal
from pplx_local.tui.folders.why import Why
from pplx_local.tui.rows import Rows
from pplx_local.tui.search.screen import SearchScreen

SIZES = [(40, 12), (80, 24), (250, 70)]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, ["--impatient"]) as daemon:
        daemon.write("tea.md", "Green tea is steeped.\n")
        daemon.write("[bold]x[b].txt", "A hostile name for a text on markup.\n")
        daemon.write("a\x1b[31m\u202efdp.txt", "Another one.\n")
        daemon.write("broken.pdf", "%PDF-1.4\nno more")
        daemon.write("torn.pdf", "%PDF-1.4\nhalf of it")
        daemon.add()
        yield daemon


@pytest.fixture
def app(daemon: Daemon) -> PplxLocal:
    return PplxLocal(daemon.settings.home)


def rows(app: PplxLocal, name: str) -> Rows[Any]:
    return app.screen.query_one(name, Rows)


def names(app: PplxLocal, name: str) -> set[str]:
    return {os.fsdecode(one.path).rsplit("/", 1)[-1] for one in rows(app, name).rows}


async def opened(pilot: Pilot[Any]) -> ActivityScreen:
    """Go to the activity, and wait for what has happened."""
    app = pilot.app
    assert isinstance(app, PplxLocal)
    await until(pilot, lambda: app.status)
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(app.screen, ActivityScreen))
    await until(pilot, lambda: rows(app, "#recent").rows)
    await until(pilot, lambda: rows(app, "#failed").rows)
    screen = app.screen
    assert isinstance(screen, ActivityScreen)
    return screen


# --- words -------------------------------------------------------------------


def working(**changes: Any) -> DaemonStatus:
    known: dict[str, Any] = {
        "pid": 1, "version": "1", "started_ns": time.time_ns(), "doing": None,
        "rate": None, "seconds_left": None, "waits": None, "trouble": None,
        "paused": False,
    }  # fmt: skip
    return DaemonStatus(**known | changes)


def status(**changes: Any) -> Status:
    known: dict[str, Any] = {
        "home": "/home", "schema_version": 1, "folders": (), "states": {},
        "documents": 4, "hidden_documents": 0, "chunks": 9, "fresh_as_of_ns": None,
        "profile": {"dense": "small", "late": None},
        "coverage": {"lexical": 1.0, "dense": 0.5}, "bytes_by_part": {"text": 2_000},
    }  # fmt: skip
    return Status(**known | changes)


def test_work_is_told_with_a_bar_and_the_time_left() -> None:
    doing = Progress("encode", 1_000_000, 4_000_000, path=b"/notes/tea.md")
    said = now(status(daemon=working(doing=doing, rate=9_800, seconds_left=300)), 100)
    for part in ("embedding", "1.0M of 4.0M tokens", "━┄", "25 %", "9,800/s", "5 min"):
        assert part in said.plain
    assert "/notes/tea.md" in said.plain


@pytest.mark.parametrize("width", [1, 10, 37, 80, 240])
def test_the_bar_leaves_room_to_the_words(width: int) -> None:
    doing = Progress("read", 10, 400, path="/漢字/x".encode())
    said = now(status(daemon=working(doing=doing, rate=5.0, seconds_left=80)), width)
    first = said.split("\n")[0]
    assert "10 of 400 files" in first.plain
    if "━" in first.plain or "┄" in first.plain:
        assert first.cell_length <= width


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "nothing to do"),
        ({"waits": "on battery"}, "waits: on battery"),
        ({"paused": True}, "paused"),
        ({"trouble": "the disk is full"}, "trouble: the disk is full"),
        ({"doing": Progress("load", 0, None), "paused": True}, "paused after this"),
        ({"doing": Progress("scan", 7, None)}, "looking through   7 files"),
        ({"doing": Progress("read", 1, 2, message="a\x1b[2J")}, "a\\x1b[2J"),
    ],
)
def test_what_keeps_it_is_told(changes: dict[str, Any], said: str) -> None:
    assert said in now(status(daemon=working(**changes)), 80).plain


def test_without_a_daemon_that_is_told() -> None:
    assert "No daemon" in now(status(), 80).plain


def test_facts_are_told_in_words() -> None:
    power = Conditions(on_battery=True, percent=71.0, low_power=False, hot=True)
    change = ModelChange({"dense": "big", "late": None}, {"dense": 3}, 4)
    found = status(
        daemon=working(memory_bytes=312_000_000, power=power),
        change=change,
        queue=QueueStatus(12, 2),
        outdated={"dense": "Older rules made them."},
    )
    said = facts(found, 120, is_own=True).plain
    for part in (
        "12 files to read, 2 of them for another try", "4 documents, 9 passages",
        "dense: small", "to become dense: big", "3 of 4 documents", "100 %", "50 %",
        "Older rules made them.", "text 2.0 kB", "312 MB in use", "71 %", "heat",
        "ends with this window",
    ):  # fmt: skip
        assert part in said
    assert "━" in said
    assert "━" not in facts(found, 60, is_own=False).plain


def test_an_older_daemon_tells_no_memory() -> None:
    assert "not told" in facts(status(daemon=working()), 80, is_own=False).plain


@pytest.mark.parametrize("width", [8, 40, 120])
def test_rows_fit_and_are_safe(width: int) -> None:
    path = "/home/漢字/a\x1b[31m[bold]x.md".encode()
    event = FileEvent(1, path, "failed", "why\x07", time.time_ns(), 1_234.0)
    file = FileRecord(path, 1, 1, 1, 1, 1, None, "failed", "why\x07")
    for line in (*event_line(event, width), failure_lines(file, width)[0]):
        assert line.cell_length <= width
        assert "\x1b" not in line.plain
    assert "1.2 s" in event_line(event, 120)[0].plain
    assert "why\\x07" in failure_lines(file, width)[1].plain


def test_what_a_look_showed_took_no_time() -> None:
    event = FileEvent(1, b"/x.md", "removed", None, time.time_ns(), None)
    assert event_line(event, 60)[0].plain.rstrip().endswith("⌫ /x.md")


# --- the screen --------------------------------------------------------------


def test_all_there_is_to_know_is_shown(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await until(pilot, lambda: "nothing to do" in shown(app))
        seen = shown(app)
        for part in ("Queue", "3 documents", "fake", "lexical", "Disk", "Memory",
                     "Power", "goes on without this window", "Failed: 2 files"):  # fmt: skip
            assert part in seen

    drive(app, steps, (120, 34))


def test_what_happened_is_listed_the_newest_first(
    app: PplxLocal, daemon: Daemon
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        assert names(app, "#recent") >= {"tea.md", "broken.pdf", "[bold]x[b].txt"}
        assert "a\\x1b[31m\\u202efdp.txt" in shown(app)
        daemon.write("new.md", "Cocoa is stirred.\n")
        await until(pilot, lambda: "new.md" in names(app, "#recent"))
        newest = rows(app, "#recent").rows
        assert newest[0].path.endswith(b"new.md")
        assert [one.number for one in newest] == sorted(
            (one.number for one in newest), reverse=True
        )
        assert rows(app, "#recent").cursor == 0

    drive(app, steps, (120, 40))


def test_failures_are_listed_with_reason_and_read_again(
    app: PplxLocal, daemon: Daemon
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        failed = rows(app, "#failed")
        assert names(app, "#failed") == {"broken.pdf", "torn.pdf"}
        assert str(failed.rows[0].reason)[:20] in shown(app)
        n_before = len(rows(app, "#recent").rows)
        await pilot.press("tab", "down", "r")
        await until(pilot, lambda: "1 file is read again" in shown(app))
        await until(pilot, lambda: len(rows(app, "#recent").rows) > n_before)
        assert rows(app, "#recent").rows[0].path.endswith(b"torn.pdf")
        await pilot.press("R")
        await until(pilot, lambda: "2 files are read again" in shown(app))
        daemon.write("torn.pdf", "")
        await until(pilot, lambda: names(app, "#failed") == {"broken.pdf"})

    drive(app, steps, (120, 40))


def test_why_is_told_of_the_chosen_file(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("tab")
        await until(pilot, lambda: app.focused is rows(app, "#failed"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Why))
        await until(pilot, lambda: "failed" in shown(app))
        await pilot.press("escape", "tab", "w")
        await until(pilot, lambda: isinstance(app.screen, Why))
        await pilot.press("escape")

    drive(app, steps, (120, 40))


def test_indexing_is_paused_and_goes_on(app: PplxLocal, daemon: Daemon) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("p")
        await until(pilot, lambda: "paused" in shown(app))
        assert daemon.state().paused
        await pilot.press("p")
        await until(pilot, lambda: "nothing to do" in shown(app))
        assert not daemon.state().paused

    drive(app, steps)


def test_all_folders_are_looked_through(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("u")
        await until(
            pilot,
            lambda: any("unchanged" in one.message for one in app._notifications),
        )

    drive(app, steps)


def test_details_leave_their_room_to_the_lists(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        assert "Memory" in shown(app)
        await pilot.press("i")
        await until(pilot, lambda: "Memory" not in shown(app))
        await pilot.press("i")
        await until(pilot, lambda: "Memory" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))

    drive(app, steps)


def test_a_daemon_that_ends_is_told_of_and_another_asked(
    app: PplxLocal, daemon: Daemon
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        daemon.stop()
        await until(pilot, lambda: "ends with this window" in shown(app))
        assert rows(app, "#recent").rows  # what was seen stays

    drive(app, steps)


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(app: PplxLocal, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        assert "Recent" in shown(app)
        await pilot.press("tab")
        await until(pilot, lambda: "Failed: 2 files" in shown(app))
        await pilot.press("i")
        await pilot.pause()
        for width, height in ((20, 6), (3, 3), size):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
        assert "Retry all" in shown(app) or size[0] < 80

    drive(app, steps, size)
